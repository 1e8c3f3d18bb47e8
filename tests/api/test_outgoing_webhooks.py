"""Endpoints, deliveries and emissions over the control API: what an application is told, and what nobody is ever told."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app import create_app, create_mock
from mock_server.engine.decisions import Accepted, Emit, Job, Schedule
from mock_server.engine.instants import SECOND, parse_instant
from mock_server.engine.kernel import decide
from mock_server.http.mock import Options
from mock_server.store.endpoints import Endpoint
from mock_server.webhooks.drafts import Request
from mock_server.webhooks.misbehaviour import DAMAGE
from mock_server.webhooks.posting import Answered, Unanswered
from mock_server.webhooks.schemes import scheme_named, schemes
from mock_server.webhooks.schemes.generic import scheme_of
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

from .client import ACME, GLOBEX, WALL, Answer, Client

NOW = "2024-02-29T00:00:00Z"
HOOKS = "http://127.0.0.1:8000/hooks"
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
LIMIT = 20.0


class Receiver:
    """Answers what `answer` says; `handler` runs meanwhile."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Answered | Unanswered = Answered(200, {}, "thanks")
        self.handler: Callable[[Request], Awaitable[None]] | None = None

    async def __call__(self, request: Request, timeout_s: float) -> Answered | Unanswered:
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.handler is not None:
            await self.handler(request)
        return self.answer

    async def close(self) -> None:
        """There is nothing to close."""

    @property
    def topics(self) -> list[str]:
        return [json.loads(each.body)["type"] for each in self.requests]


class Driver:
    """One event loop for many requests to the world `still`. Waits end after some turns of the loop."""

    def __init__(self, options: Options | None = None) -> None:
        self.receiver = Receiver()
        self.wall = WALL
        self.mock = create_mock(
            options, wall=lambda: self.wall, fresh_seed=lambda: 7, sleep=self._sleep, post=self.receiver
        )
        self.client = Client(create_app(self.mock))
        self.mock.create_world("still", "demo", seed=7, now=parse_instant(NOW))

    async def _sleep(self, seconds: float) -> None:
        for _ in range(300):
            await asyncio.sleep(0)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(LIMIT):
                found = await coroutine
                await self.mock.webhooks.stop(0)
                return found

        return asyncio.run(limited())

    async def control(self, method: str, path: str, body: Any = ..., query: str = "", world: str = "still") -> Answer:
        return await self.client.ask(method, f"/_mock/worlds/{world}{path}", json=body, query=query.encode())

    async def add(self, **body: Any) -> dict[str, Any]:
        given = {"id": "shop", "url": HOOKS, "scheme": "standard-webhooks", "secret": SECRET, **body}
        answer = await self.control("POST", "/webhook-endpoints", given)
        assert answer.status == 201, answer.body
        added: dict[str, Any] = answer.json
        return added

    async def buy(self, tier: str = "pro", org: str = ACME, key: str = "demo-owner") -> None:
        path = f"/w/still/api/v1/orgs/{org}/billing/checkout"
        assert (await self.client.ask("POST", path, key=key, json={"tier_slug": tier})).status == 200

    async def deliveries(self, query: str = "wait=10") -> dict[str, Any]:
        answer = await self.control("GET", "/deliveries", query=query)
        assert answer.status == 200, answer.body
        listed: dict[str, Any] = answer.json
        return listed

    async def emit(self, query: str = "wait=10", **body: Any) -> dict[str, Any]:
        answer = await self.control("POST", "/webhooks/emit", {"event": "invoice.paid", **body}, query)
        assert answer.status == 200, answer.body
        listed: dict[str, Any] = answer.json
        return listed

    async def advance(self, duration: str) -> dict[str, Any]:
        answer = await self.control("POST", "/clock", {"advance": duration})
        assert answer.status == 200, answer.body
        moved: dict[str, Any] = answer.json
        return moved

    async def endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.control("GET", "/webhook-endpoints/shop")).json
        return found


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    assert list(driver.mock.breaches) == []


# -- what a provider would send -------------------------------------------------------------------------------------------


def test_what_is_bought_is_told_in_order_as_the_vendors_library_takes_it(driver: Driver) -> None:
    async def play() -> None:
        await driver.add(scheme="stripe", secret="whsec_demo")
        await driver.buy()
        listed = await driver.deliveries()
        assert [each["topic"] for each in listed["deliveries"]] == ["invoice.paid", "subscription.created"]
        assert {each["state"] for each in listed["deliveries"]} == {"delivered"}
        assert listed["owed"] == 0

    driver.run(play())
    created, paid = driver.receiver.requests
    for request, kind in ((created, "customer.subscription.created"), (paid, "invoice.paid")):
        signature = dict(request.headers)["Stripe-Signature"]
        stripe.WebhookSignature.verify_header(request.body.decode(), signature, "whsec_demo", tolerance=None)
        event = stripe.Event.construct_from(json.loads(request.body), "key")
        assert (event.type, event.object) == (kind, "event")
        assert event.created == parse_instant(NOW) // SECOND


@pytest.mark.parametrize("name", sorted(schemes()))
def test_what_is_sent_its_own_scheme_verifies(driver: Driver, name: str) -> None:
    options = {"signed": "{time}.{id}.{url}.{body}", "value": "t={time},v1={signature}", "id_header": "X-Id"}

    async def play() -> str:
        body = {"id": None, "secret": None, "scheme": name, "options": options if name == "generic" else None}
        given = {key: value for key, value in {"url": HOOKS, **body}.items() if value is not None}
        answer = await driver.control("POST", "/webhook-endpoints", given)
        assert answer.status == 201, answer.body
        await driver.buy()
        await driver.deliveries()
        secret: str = answer.json["secret"]
        return secret

    secret = driver.run(play())
    scheme = scheme_of(options) if name == "generic" else scheme_named(name)
    assert len(driver.receiver.requests) == 2
    for request in driver.receiver.requests:
        headers = {key.lower(): value for key, value in request.headers}
        message = Message(request.body, HOOKS, headers.get("x-id", ""))
        assert isinstance(scheme.verify(message, headers, [secret], WALL // SECOND), Verified)
        assert isinstance(scheme.verify(message, headers, [secret + "abcd"], WALL // SECOND), Rejected)


@pytest.mark.parametrize("key", ["text", "base64", "hex", "whsec"])
def test_a_secret_that_is_made_up_is_a_key_of_its_scheme(driver: Driver, key: str) -> None:
    async def play() -> None:
        answer = await driver.control(
            "POST", "/webhook-endpoints", {"url": HOOKS, "scheme": "generic", "options": {"key": key}}
        )
        assert answer.status == 201, answer.body
        assert answer.json["secret"]

    driver.run(play())


def test_no_two_endpoints_of_a_world_are_given_the_same_secret(driver: Driver) -> None:
    async def play() -> None:
        secrets = []
        for n in range(6):
            answer = await driver.control("POST", "/webhook-endpoints", {"id": f"e-{n}", "url": HOOKS})
            secrets.append(answer.json["secret"])
            if n % 2:
                await driver.control("DELETE", f"/webhook-endpoints/e-{n - 1}")
        assert len(set(secrets)) == 6

    driver.run(play())


def test_an_event_keeps_its_id_when_it_is_sent_again_and_is_signed_anew(driver: Driver) -> None:
    async def play() -> None:
        await driver.add()
        listed = await driver.emit()
        first = listed["deliveries"][0]
        driver.wall += 60 * SECOND
        again = await driver.control("POST", f"/deliveries/{first['id']}/redeliver")
        assert again.status == 201
        assert again.json["event"] == first["event"]
        assert again.headers["location"].endswith(again.json["id"])
        await driver.deliveries()

    driver.run(play())
    first, again = (dict(each.headers) for each in driver.receiver.requests)
    assert first["webhook-id"] == again["webhook-id"]
    assert int(again["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 60
    assert driver.receiver.requests[0].body == driver.receiver.requests[1].body


def test_the_same_seed_and_requests_give_the_same_bytes() -> None:
    def play() -> list[Request]:
        driver = Driver()

        async def ask() -> None:
            await driver.add(misbehave={"kinds": ["duplicate", "tamper"], "probability": 0.5})
            await driver.buy()
            await driver.buy("starter")
            await driver.emit(count=5)
            await driver.advance("P40D")

        driver.run(ask())
        return driver.receiver.requests

    assert play() == play()


# -- failure, retry, time -------------------------------------------------------------------------------------------------


def test_the_clock_takes_retries_along_and_says_so(driver: Driver) -> None:
    async def play() -> None:
        driver.receiver.answer = Answered(500, {}, "no\u2028 \u0000 thanks" * 500)
        await driver.add(retries=[5, 300])
        await driver.emit()
        agenda = (await driver.control("GET", "/clock/agenda")).json
        assert [(each["job"], each["in"]) for each in agenda["items"]] == [("webhook_attempt", "PT5S")]
        stepped = (await driver.control("POST", "/clock", {"step": True})).json
        assert stepped["now"] == "2024-02-29T00:00:05Z"
        assert [each["job"] for each in stepped["timeline"]] == ["webhook_attempt"]
        assert "again at 2024-02-29T00:05:05Z" in stepped["timeline"][0]["outcome"]
        await driver.advance("P1D")
        (line,) = (await driver.deliveries())["deliveries"]
        assert (line["state"], line["tried"], line["status"]) == ("failed", 3, 500)
        told = (await driver.control("GET", f"/deliveries/{line['id']}")).json
        assert [each["at"][-9:] for each in told["attempts"]] == ["00:00:00Z", "00:00:05Z", "00:05:05Z"]
        assert all(each["answer"].startswith("no") for each in told["attempts"])

    driver.run(play())


def test_a_world_that_goes_back_owes_nothing_any_more(driver: Driver) -> None:
    async def play() -> None:
        await driver.add(retries=[5])
        assert (await driver.control("POST", "/snapshots", {"id": "before"})).status == 201
        driver.receiver.answer = Unanswered("cannot connect")
        await driver.buy()
        assert (await driver.deliveries())["owed"] == 2
        assert (await driver.control("POST", "/snapshots/before/restore")).status == 200
        listed = await driver.deliveries()
        assert (listed["owed"], {each["state"] for each in listed["deliveries"]}) == (0, {"abandoned"})
        state = (await driver.control("GET", "/state")).json
        await driver.emit()
        assert (await driver.control("PUT", "/state", state)).status == 200
        assert (await driver.deliveries())["owed"] == 0
        before = len(driver.receiver.requests)
        await driver.advance("P1D")
        assert len(driver.receiver.requests) == before
        # The endpoint has stayed, and hears what happens from now on.
        await driver.buy()
        await driver.deliveries()
        assert len(driver.receiver.requests) > before
        assert (await driver.control("POST", "/reset")).status == 200
        assert (await driver.control("GET", "/webhook-endpoints")).json == {"endpoints": []}
        assert (await driver.deliveries())["matched"] == 0
        before = len(driver.receiver.requests)
        await driver.buy()
        await driver.deliveries()
        assert len(driver.receiver.requests) == before

    driver.run(play())


def test_a_fork_is_told_nothing(driver: Driver) -> None:
    async def play() -> None:
        driver.receiver.answer = Unanswered("cannot connect")
        await driver.add(retries=[5])
        await driver.buy()
        await driver.deliveries()
        before = len(driver.receiver.requests)
        assert (await driver.control("POST", "/fork", {"name": "fork"})).status == 201
        assert (await driver.control("GET", "/webhook-endpoints", world="fork")).json == {"endpoints": []}
        assert (await driver.control("POST", "/clock", {"advance": "P1D"}, world="fork")).status == 200
        assert len(driver.receiver.requests) == before

    driver.run(play())


def test_a_world_deleted_while_somebody_waits_for_it(driver: Driver) -> None:
    async def play() -> None:
        async def delete(_: Request) -> None:
            await driver.control("DELETE", "")

        driver.receiver.handler = delete
        await driver.add()
        answers = await asyncio.gather(
            driver.control("POST", "/webhooks/emit", {"event": "invoice.paid"}, "wait=10"),
            driver.control("GET", "/deliveries", query="wait=10"),
            driver.control("POST", "/clock", {"advance": "P1D"}),
        )
        assert [each.status for each in answers[:2]] == [404, 404]
        assert all(each.status < 500 for each in answers)

    driver.run(play())


@pytest.mark.parametrize("when", ["emitting", "advancing"])
def test_an_application_may_call_the_mock_while_it_is_told(driver: Driver, when: str) -> None:
    seen: list[tuple[str, int]] = []

    async def call_back(_: Request) -> None:
        now = (await driver.control("GET", "/clock")).json["now"]
        path = f"/w/still/api/v1/orgs/{ACME}/billing/plan"
        seen.append((now, (await driver.client.ask("GET", path, key="demo-owner")).status))

    async def play() -> None:
        driver.receiver.answer = Unanswered("cannot connect")
        await driver.add(retries=[86_400])
        await driver.emit()
        driver.receiver.answer = Answered(200, {}, "")
        driver.receiver.handler = call_back
        if when == "advancing":
            await driver.advance("P9D")
        else:
            await driver.emit(org=GLOBEX)

    driver.run(play())
    assert seen == [("2024-03-01T00:00:00Z" if when == "advancing" else NOW, 200)]


def test_disabled_and_enabled_by_hand(driver: Driver) -> None:
    async def play() -> None:
        await driver.add()
        off = await driver.control("PATCH", "/webhook-endpoints/shop", {"enabled": False})
        assert off.json["disabled"] == "somebody disabled it"
        await driver.buy()
        assert (await driver.deliveries())["owed"] == 2
        assert driver.receiver.requests == []
        on = await driver.control("PATCH", "/webhook-endpoints/shop", {"enabled": True, "secret": "whsec_" + "A" * 32})
        assert (on.json["disabled"], on.json["secret"]) == (None, None)
        assert (await driver.deliveries())["owed"] == 0
        assert len(driver.receiver.requests) == 2

    driver.run(play())
    request = driver.receiver.requests[0]
    headers = {key.lower(): value for key, value in request.headers}
    verified = scheme_named("svix").verify(Message(request.body), headers, ["whsec_" + "A" * 32], WALL // SECOND)
    assert isinstance(verified, Verified)


# -- misbehaviour ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(DAMAGE), max_size=3, unique=True), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 9))
@settings(max_examples=12)
def test_damage_hits_the_share_that_was_asked_for_and_is_logged(kinds: list[str], share: float, seed: int) -> None:
    driver = Driver()
    driver.mock.create_world("other", "demo", seed=seed, now=parse_instant(NOW))

    async def play() -> list[dict[str, Any]]:
        body = {"id": "shop", "url": HOOKS, "scheme": "svix", "secret": SECRET, "order": "none"}
        misbehave = {"kinds": kinds, "probability": share}
        await driver.control("POST", "/webhook-endpoints", {**body, "misbehave": misbehave}, world="other")
        answer = await driver.control(
            "POST", "/webhooks/emit", {"event": "invoice.paid", "count": 60}, "wait=10", "other"
        )
        assert answer.status == 200
        lines = (await driver.control("GET", "/deliveries", query="wait=10&limit=100", world="other")).json[
            "deliveries"
        ]
        return [(await driver.control("GET", f"/deliveries/{each['id']}", world="other")).json for each in lines]

    found = driver.run(play())
    assert len(found) == len(driver.receiver.requests) == 60
    hit = 0
    for each in found:
        (attempt,) = each["attempts"]
        headers = {key.lower(): value for key, value in attempt["headers"]}
        is_hit = attempt["damages"] != []
        hit += is_hit
        assert set(attempt["damages"]) == (set(kinds) if is_hit else set())
        verified = scheme_named("svix").verify(Message(each["payload"].encode()), headers, [SECRET], WALL // SECOND)
        if not is_hit:
            assert isinstance(verified, Verified)
        elif set(kinds) & {"wrong_secret", "old", "future", "missing_header"}:
            assert isinstance(verified, Rejected)
    assert hit == {0.0: 0, 1.0: 60 if kinds else 0}.get(share, hit)
    assert share != 0.3 or not kinds or 4 <= hit <= 36


def test_dropped_shows_in_the_log_and_nowhere_else(driver: Driver) -> None:
    async def play() -> None:
        await driver.add(misbehave={"kinds": ["drop"]})
        await driver.emit()
        (line,) = (await driver.deliveries())["deliveries"]
        assert (line["state"], line["tried"], line["due"]) == ("dropped", 0, None)
        assert (await driver.endpoint())["counts"]["dropped"] == 1
        listed = await driver.emit(count=4)
        assert sorted(each["state"] for each in listed["deliveries"]) == ["delivered"] * 2 + ["dropped"] * 2
        again = await driver.control("POST", f"/deliveries/{line['id']}/redeliver")
        assert again.status == 201
        assert (await driver.deliveries("state=dropped"))["matched"] == 3

    driver.run(play())
    assert len(driver.receiver.requests) == 3


def test_one_after_the_other_changes_places(driver: Driver) -> None:
    async def play() -> None:
        await driver.add(misbehave={"kinds": ["reorder"]})
        for topic in ("invoice.paid", "invoice.failed", "subscription.created"):
            await driver.emit(event=topic)
        assert (await driver.deliveries())["owed"] == 1
        await driver.advance("PT2S")
        assert (await driver.deliveries())["owed"] == 0

    driver.run(play())
    assert driver.receiver.topics == ["invoice.failed", "invoice.paid", "subscription.created"]


def test_doubled_and_out_of_order_in_one_emission(driver: Driver) -> None:
    async def play() -> dict[str, Any]:
        await driver.emit(to=HOOKS, scheme="svix", secret=SECRET, mutate=["duplicate", "reorder"], count=4)
        return await driver.emit(to=HOOKS, scheme="svix", secret=SECRET, mutate=["duplicate", "reorder"])

    single = driver.run(play())
    assert single["matched"] == 2
    ids = [dict(each.headers)["svix-id"] for each in driver.receiver.requests[:8]]
    assert all(ids.count(each) == 2 for each in ids)
    assert len(set(ids)) == 4


def test_a_burst_waits_for_nobody(driver: Driver) -> None:
    most = [0, 0]

    async def count(_: Request) -> None:
        most[0] += 1
        most[1] = max(most)
        for _ in range(20):
            await asyncio.sleep(0)
        most[0] -= 1

    async def play() -> None:
        driver.receiver.handler = count
        await driver.add()
        await driver.emit(mutate=["burst"])

    driver.run(play())
    assert (most[1], len(driver.receiver.requests)) == (5, 5)


def test_what_is_late_comes_when_the_worlds_clock_says_so(driver: Driver) -> None:
    async def play() -> None:
        await driver.add()
        listed = await driver.emit(mutate=["delay"])
        assert listed["deliveries"][0]["due"] == "2024-02-29T00:00:05Z"
        await driver.emit(event="invoice.failed")
        await driver.advance("PT5S")

    driver.run(play())
    assert driver.receiver.topics == ["invoice.failed", "invoice.paid"]


# -- safety ---------------------------------------------------------------------------------------------------------------

REMOTE = ["http://example.com/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://127.1/", "http://2130706433/"]
REMOTE += ["http://localhost./", "http://localhost.evil.example/", "http://user@localhost/", "http://localhost\\@x/"]
REMOTE += ["http://localhost@evil.example/", "http://127.0.0.1:99999/", "https://169.254.169.254/latest"]


@pytest.mark.parametrize("url", REMOTE)
def test_nothing_leads_to_another_machine(driver: Driver, url: str) -> None:
    async def play() -> None:
        added = await driver.control("POST", "/webhook-endpoints", {"url": url})
        await driver.add()
        changed = await driver.control("PATCH", "/webhook-endpoints/shop", {"url": url})
        emitted = await driver.control("POST", "/webhooks/emit", {"event": "invoice.paid", "to": url})
        for answer in (added, changed, emitted):
            assert (answer.status, answer.code) == (400, "invalid_endpoint"), answer.body
        assert (await driver.endpoint())["url"] == HOOKS
        assert len((await driver.control("GET", "/webhook-endpoints")).json["endpoints"]) == 1

    driver.run(play())
    assert driver.receiver.requests == []


def test_it_does_where_somebody_has_allowed_it() -> None:
    driver = Driver(Options(allow_remote=True))
    assert driver.run(driver.add(url="http://example.com/hooks"))["url"] == "http://example.com/hooks"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"scheme": "nobody"}, "nobody"),
    ({"scheme": "svix", "secret": "no base64!"}, "base64"),
    ({"scheme": "svix", "secret": "whpk_" + "A" * 43 + "="}, "only verifies"),
    ({"scheme": "stripe", "options": {"header": "X-A"}}, "generic"),
    ({"scheme": "generic", "options": {"no": "x"}}, "no option"),
    ({"scheme": "generic", "options": {"header": "X-A\r\nX-B"}}, "header"),
    ({"scheme": "generic", "options": {"header": "X A"}}, "header"),
    ({"scheme": "generic", "options": {"header": "Content-Length"}}, "HTTP"),
    ({"scheme": "generic", "options": {"header": "transfer-encoding"}}, "HTTP"),
    ({"scheme": "generic", "options": {"header": "Host"}}, "HTTP"),
    ({"scheme": "generic", "options": {"signed": "{id}{body}", "id_header": "content-type"}}, "HTTP"),
    ({"scheme": "generic", "options": {"value": "a\r\nX-B: {signature}"}}, "value"),
    ({"scheme": "generic", "options": {"value": "\u20ac{signature}"}}, "value"),
    ({"scheme": "generic", "options": {"signed": "{nothing}{body}"}}, "signed"),
    ({"scheme": "generic", "options": {"key": "hex"}, "secret": "xyz"}, "hex"),
    ({"scheme": "generic", "options": {"digest": "md5"}}, "digest"),
]


@pytest.mark.parametrize(("body", "reason"), BAD)
def test_what_no_webhook_can_be_sent_with_is_refused_with_a_reason(
    driver: Driver, body: dict[str, Any], reason: str
) -> None:
    before = driver.mock.worlds.get("still").state  # type: ignore[union-attr]

    async def play() -> None:
        for answer in (
            await driver.control("POST", "/webhook-endpoints", {"url": HOOKS, **body}),
            await driver.control("POST", "/webhooks/emit", {"event": "invoice.paid", "to": HOOKS, **body}),
        ):
            assert (answer.status, answer.code) == (400, "invalid_endpoint"), answer.body
            assert driver.mock.worlds.get("still").state is before, "a refusal leaves no trace"  # type: ignore[union-attr]
            assert reason.lower() in answer.json["message"].lower()
            assert "secret" not in body or body["secret"] not in answer.body.decode()
        assert (await driver.deliveries(""))["matched"] == 0

    driver.run(play())


def test_secrets_are_shown_once(driver: Driver) -> None:
    secret = "whsec_" + "Zm9vYmFy" * 4

    async def play() -> str:
        assert (await driver.add(secret=secret))["secret"] == secret
        assert (await driver.control("POST", "/webhook-endpoints", {"id": "shop", "url": HOOKS})).status == 409
        driver.receiver.answer = Answered(500, {}, "")
        await driver.buy()
        line = (await driver.deliveries())["deliveries"][0]["id"]
        await driver.control("PATCH", "/webhook-endpoints/shop", {"secret": secret})
        seen = []
        for path in (
            "/webhook-endpoints",
            "/webhook-endpoints/shop",
            "/deliveries",
            f"/deliveries/{line}",
            "/requests",
            "/requests/1",
            "/state",
            "/clock/agenda",
            "",
        ):
            seen.append((await driver.control("GET", path)).body.decode())
        return "".join(seen)

    assert secret.removeprefix("whsec_")[:16] not in driver.run(play())


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=20), values, max_size=6), st.sampled_from(sorted(schemes())))
@settings(max_examples=30)
def test_any_data_can_be_told(data: dict[str, Any], scheme: str) -> None:
    driver = Driver()

    async def play() -> None:
        body = {"event": "invoice.paid", "to": HOOKS, "scheme": scheme, "data": data}
        answer = await driver.control("POST", "/webhooks/emit", body, "wait=10")
        assert answer.status in (200, 400), answer.body
        if answer.status == 200:
            (line,) = answer.json["deliveries"]
            assert line["state"] == "delivered", line
            assert (await driver.control("GET", f"/deliveries/{line['id']}")).status == 200
            json.loads(driver.receiver.requests[0].body)

    driver.run(play())
    assert list(driver.mock.breaches) == []


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "\\udfff\\ud800", "\\ufeff", "\\u2028"])
def test_odd_letters_in_data(driver: Driver, text: str) -> None:
    async def play() -> None:
        raw = f'{{"event": "invoice.paid", "to": "{HOOKS}", "data": {{"org_name": "{text}", "{text}": 1}}}}'
        answer = await driver.client.ask(
            "POST",
            "/_mock/worlds/still/webhooks/emit",
            body=raw.encode(),
            headers={"content-type": "application/json"},
            query=b"wait=10",
        )
        assert answer.status in (200, 400), answer.body
        if answer.status == 200:
            assert answer.json["deliveries"][0]["state"] == "delivered"

    driver.run(play())


# -- bounds and misuse ----------------------------------------------------------------------------------------------------


def test_what_cannot_be_asked_for_is_refused_by_name(driver: Driver) -> None:
    async def play() -> None:
        await driver.add()
        emit = {"event": "invoice.paid"}
        asked: list[tuple[str, str, Any, int, str]] = [
            ("POST", "/webhook-endpoints", {"id": "shop", "url": HOOKS}, 409, "endpoint_exists"),
            ("GET", "/webhook-endpoints/nobody", ..., 404, "not_found"),
            ("PATCH", "/webhook-endpoints/nobody", {"enabled": True}, 404, "not_found"),
            ("DELETE", "/webhook-endpoints/nobody", ..., 404, "not_found"),
            ("GET", "/deliveries/delivery-99", ..., 404, "not_found"),
            ("POST", "/deliveries/delivery-99/redeliver", ..., 404, "not_found"),
            ("POST", "/webhooks/emit", {**emit, "endpoint": "nobody"}, 404, "not_found"),
            ("POST", "/webhooks/emit", {**emit, "endpoint": "shop", "to": HOOKS}, 400, "invalid_request"),
            ("POST", "/webhooks/emit", {**emit, "secret": "x"}, 400, "invalid_request"),
            ("POST", "/webhooks/emit", {**emit, "org": "nobody"}, 409, "nothing_to_tell"),
            ("POST", "/webhooks/emit", {**emit, "api": "nobody"}, 400, "unknown_api"),
            ("POST", "/webhooks/emit", {**emit, "mutate": ["explode"]}, 400, "invalid_request"),
            ("POST", "/webhooks/emit", {"event": "Invoice.Paid\n"}, 400, "invalid_request"),
            ("PATCH", "/webhook-endpoints/shop", {}, 400, "invalid_request"),
            ("PATCH", "/webhook-endpoints/shop", {"scheme": "svix"}, 400, "invalid_request"),
        ]
        for method, path, body, status, code in asked:
            answer = await driver.control(method, path, body)
            assert (answer.status, answer.code) == (status, code), (path, body, answer.body)

    driver.run(play())


def test_emissions_have_a_bound_of_their_own_and_can_be_removed(driver: Driver) -> None:
    async def play() -> None:
        driver.receiver.answer = Unanswered("cannot connect")
        for _ in range(50):
            await driver.emit(to=HOOKS)
        answer = await driver.control("POST", "/webhooks/emit", {"event": "invoice.paid", "to": HOOKS})
        assert (answer.status, answer.code) == (409, "too_many_endpoints")
        await driver.add()
        assert (await driver.deliveries("limit=0"))["owed"] == 50
        assert (await driver.control("DELETE", "/webhook-endpoints/emission-1")).status == 204
        assert (await driver.deliveries("limit=0"))["owed"] == 49
        driver.receiver.answer = Answered(200, {}, "")
        await driver.emit(to=HOOKS)
        await driver.advance("P9D")
        assert (await driver.deliveries("limit=0"))["owed"] == 0
        assert len(driver.mock.worlds.get("still").deliveries.endpoints) == 1  # type: ignore[union-attr]

    driver.run(play())


def test_fifty_endpoints_and_no_more(driver: Driver) -> None:
    async def play() -> None:
        for n in range(50):
            await driver.add(id=f"e-{n}")
        answer = await driver.control("POST", "/webhook-endpoints", {"url": HOOKS})
        assert (answer.status, answer.code) == (409, "too_many_endpoints")
        await driver.buy()
        assert (await driver.deliveries("wait=10"))["matched"] == 100

    driver.run(play())
    assert len(driver.receiver.requests) == 100


def test_a_redelivery_needs_the_endpoint(driver: Driver) -> None:
    async def play() -> None:
        await driver.add()
        (line,) = (await driver.emit())["deliveries"]
        assert (await driver.control("DELETE", "/webhook-endpoints/shop")).status == 204
        answer = await driver.control("POST", f"/deliveries/{line['id']}/redeliver")
        assert (answer.status, answer.code) == (409, "endpoint_gone")
        assert (await driver.control("GET", f"/deliveries/{line['id']}")).json["payload"]

    driver.run(play())


def test_a_wait_ends_although_a_receiver_hangs(driver: Driver) -> None:
    async def hang(_: Request) -> None:
        await asyncio.Event().wait()

    async def play() -> None:
        driver.receiver.handler = hang
        await driver.add()
        listed = await driver.emit(query="wait=1")
        assert [(each["state"], each["tried"], each["due"]) for each in listed["deliveries"]] == [("pending", 1, None)]

    driver.run(play())
    assert driver.mock.waiting == 0


def test_ids_of_the_log_are_what_the_schema_says(driver: Driver) -> None:
    async def play() -> None:
        await driver.add()
        await driver.emit(count=3)
        for each in (await driver.deliveries())["deliveries"]:
            assert re.fullmatch(r"delivery-[1-9]\d*", each["id"])
            assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", each["event"])
            assert each["subject"] in (ACME, GLOBEX)

    driver.run(play())


def test_what_falls_due_while_nobody_looks_is_told_whole() -> None:
    """More than an outbox keeps, between two looks at a running world."""
    sent: list[Request] = []

    class Counting:
        async def __call__(self, request: Request, timeout_s: float) -> Answered:
            sent.append(request)
            return Answered(200, {}, "")

        async def close(self) -> None:
            """Nothing."""

    async def run() -> None:
        wall = WALL
        mock = create_mock(wall=lambda: wall, fresh_seed=lambda: 7, post=Counting())
        mock.jobs = {**mock.jobs, ("openapp", "bill"): lambda s, *_: Accepted(s, "", (Emit("invoice.paid", "it"),))}
        world = mock.create_world("busy", "demo", seed=7, clock="running")
        world.deliveries.add(Endpoint("shop", "http://127.0.0.1:9/", "stripe", "whsec_demo", (), order="none"))
        mock.webhooks.listen(world)
        now = mock.now_in(world)
        jobs = tuple(Schedule(f"openapp/{n}", now + n, Job("openapp", "bill")) for n in range(2_500))
        world.transact(lambda state: decide(state, "openapp", lambda domain, _: Accepted(domain, None, jobs), now))
        wall += SECOND
        mock.now_in(world)
        await mock.webhooks.settle(world)

    asyncio.run(run())
    assert len({request.body for request in sent}) == len(sent) == 2_500
