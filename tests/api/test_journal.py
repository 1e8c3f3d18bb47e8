"""The journal of a world: what it tells of every request, how it is searched and waited for, and what it lets go."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from mock_server.control import journal as control_journal
from mock_server.http.delivery import ConnectionLost
from mock_server.http.mock import Mock
from mock_server.store import journal as journals
from mock_server.store import worlds as stores
from mock_server.store.journal import LONGEST_BODY

from .client import ACME, Answer, Client, World
from .recipes import BIG
from .watching import (
    Sleeper,
    add_fault,
    entry,
    journal,
    left,
    make_zone,
    never,
    new_world,
    newest,
    numbers,
    world_of,
)

# -- searching ----------------------------------------------------------------------------------------------------


@cache
def varied() -> tuple[World, list[dict[str, Any]]]:
    """A world after requests of many kinds, and all that its journal tells of them. Only read."""
    _, world = new_world(Sleeper())
    add_fault(world, id="slow", when="before", do="delay", delay={"distribution": "fixed", "ms": 5}, method="POST")
    add_fault(world, id="teapot", when="after", do="answer", status=418, operation="list_zones")
    for key in ("demo-owner", "demo-reader", "demo-globex", "demo-operator", "nobody", None):
        for method, path in (
            ("GET", "/plans"),
            ("GET", "/zones"),
            ("POST", "/zones"),
            ("DELETE", "/plans"),
            ("GET", "/x"),
        ):
            world.call(method, path, key, **({"json": {"name": "Z"}} if method == "POST" else {}))
        world.billing("POST", "checkout", key, json={"tier_slug": "gold"})
    return world, journal(world, "limit=1000")["requests"]


FILTERS: dict[str, st.SearchStrategy[str]] = {
    "operation": st.sampled_from(["get_plans", "list_zones", "create_zone", "get_status", "no_such_operation"]),
    "status": st.sampled_from(["200", "4xx", "401", "403", "404", "418", "2xx", "5xx", "1xx", "405"]),
    "caller": st.sampled_from(
        [
            "owner of Acme Doors",
            "reader of Acme Doors",
            "owner of Globex Gates",
            "operator",
            "anonymous",
            "rejected",
            "-",
        ]
    ),
    "problem": st.sampled_from(["unauthenticated", "not_found", "forbidden", "unknown_tier", "nothing_of_the_kind"]),
    "fault": st.sampled_from(["slow", "teapot", "another"]),
    "since": st.integers(0, 36).map(str),
    "limit": st.integers(0, 40).map(str),
}


def passes(line: dict[str, Any], wanted: dict[str, str]) -> bool:
    status = wanted.get("status", str(line["status"]))
    return (
        all(line[name] == wanted[name] for name in ("operation", "caller", "problem") if name in wanted)
        and str(line["status"]).startswith(status.rstrip("x"))
        and wanted.get("fault", "slow") in [*line["faults"], *([] if "fault" in wanted else ["slow"])]
        and line["number"] > int(wanted.get("since", 0))
    )


@given(st.fixed_dictionaries({}, optional=FILTERS))
def test_the_filters_leave_what_passes_all_of_them_newest_first(wanted: dict[str, str]) -> None:
    world, every = varied()
    found = journal(world, "&".join(f"{name}={value.replace(' ', '%20')}" for name, value in wanted.items()))
    passing = [line for line in every if passes(line, wanted)]
    assert found["matched"] == len(passing)
    assert found["requests"] == passing[: int(wanted.get("limit", 100))]
    assert (found["cursor"], found["answered"], found["dropped"]) == (len(every), len(every), 0)


def test_every_filter_leaves_something_of_them_so_that_the_property_means_something() -> None:
    world, every = varied()
    for query in ("operation=create_zone", "status=4xx", "status=418", "caller=anonymous", "problem=forbidden"):
        assert 0 < journal(world, query)["matched"] < len(every)
    assert [line["number"] for line in every] == list(range(len(every), 0, -1))


@pytest.mark.parametrize(
    "query", ["status=6xx", "status=4x", "status=0xx", "limit=1001", "limit=-1", "since=-1", "wait=61", "at_least=0"]
)
def test_what_is_no_filter_is_refused(world: World, query: str) -> None:
    assert world.control("GET", "/requests", query=query.encode()).status == 400


def test_a_hundred_are_listed_unless_more_are_wanted(world: World) -> None:
    for _ in range(120):
        world.call("GET", "/status")
    assert [len(numbers(world, query)) for query in ("", "limit=1000", "limit=3", "limit=0")] == [100, 120, 3, 0]
    assert journal(world, "limit=0")["matched"] == 120


# -- cursors ------------------------------------------------------------------------------------------------------


class TestSince:
    def test_as_a_cursor_leaves_off_another_goes_on(self, world: World) -> None:
        seen: list[int] = []
        cursor = 0
        for some in (3, 0, 1, 5):
            for _ in range(some):
                world.call("GET", "/plans")
            page = journal(world, f"since={cursor}")
            seen += [line["number"] for line in reversed(page["requests"])]
            cursor = page["cursor"]
        assert seen == list(range(1, 10))

    def test_what_is_answered_late_is_not_missed(self) -> None:
        """A request that came earlier than others may be answered after them."""
        gate = Gate()
        _, world = new_world(gate)
        add_fault(world, when="before", do="delay", delay={"distribution": "fixed", "ms": 5_000}, operation="get_plans")

        async def act() -> None:
            slow = asyncio.ensure_future(ask(world, "GET", "/plans"))
            await gate.has_waiting(1)
            await ask(world, "GET", "/status")
            before = await listed(world)
            assert [line["number"] for line in before["requests"]] == [2]
            assert before["answered"] == 1
            gate.open()
            await slow
            after = await listed(world, f"since={before['cursor']}")
            assert [line["number"] for line in after["requests"]] == [1]

        asyncio.run(act())

    def test_a_cursor_of_before_a_reset_hides_nothing(self, world: World) -> None:
        for _ in range(3):
            world.call("GET", "/plans")
        cursor = journal(world)["cursor"]
        world.control("POST", "/reset")
        for asked in range(1, 6):
            world.call("GET", "/plans")
            assert journal(world, f"since={cursor}")["matched"] == asked

    def test_a_cursor_of_another_world_of_that_name_is_none(self, mock: Mock, world: World) -> None:
        for _ in range(3):
            world.call("GET", "/plans")
        cursor = journal(world)["cursor"]
        world.control("DELETE")
        world_of(mock).call("GET", "/plans")
        assert numbers(world, f"since={cursor}") == [1]

    def test_emptying_the_journal_leaves_a_cursor_good(self, world: World) -> None:
        world.call("GET", "/plans")
        cursor = journal(world)["cursor"]
        assert world.control("DELETE", "/requests").status == 204
        world.call("GET", "/status")
        assert numbers(world, f"since={cursor}") == numbers(world) == [2]

    def test_what_was_dropped_is_not_listed_and_counted(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journals, "MOST_ENTRIES", 4)
        for _ in range(9):
            world.call("GET", "/plans")
        page = journal(world, "since=2")
        assert [line["number"] for line in page["requests"]] == [9, 8, 7, 6]
        assert (page["matched"], page["dropped"], page["answered"], page["cursor"]) == (4, 5, 9, 9)


# -- waiting ------------------------------------------------------------------------------------------------------


class Gate:
    """Time that passes when it is let through."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._opened = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._opened.wait()

    def open(self) -> None:
        self._opened.set()

    async def has_waiting(self, many: int) -> None:
        await until(lambda: len(self.slept) >= many)


async def until(condition: Callable[[], bool]) -> None:
    """Let others go on until it holds."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("that never comes true")


def ask(world: World, method: str, path: str, **more: Any) -> Awaitable[Answer]:
    more.setdefault("key", "demo-owner")
    return world.client.ask(method, f"/w/{world.name}/api/v1{path}", **more)


def asked_control(world: World, method: str, path: str, **more: Any) -> Awaitable[Answer]:
    return world.client.ask(method, f"/_mock/worlds/{world.name}{path}", **more)


async def listed(world: World, query: str = "") -> Any:
    answer = await asked_control(world, "GET", "/requests", query=query.encode())
    assert answer.status == 200, answer.body
    return answer.json


async def waiting(mock: Mock, world: World, query: str, **more: Any) -> asyncio.Task[Answer]:
    """Somebody who has begun to wait."""
    before = mock.waiting
    task = asyncio.ensure_future(asked_control(world, "GET", "/requests", query=query.encode(), **more))
    await until(lambda: mock.waiting > before or task.done())
    return task  # type: ignore[return-value]


def nobody_waits(mock: Mock) -> bool:
    return mock.waiting == 0 and all(each.listeners == () for each in mock.worlds)


def play(act: Callable[[Mock, World], Coroutine[Any, Any, None]], sleep: Any = never) -> None:
    """Act in a world while somebody waits. In the end nobody does any more."""
    mock, world = new_world(sleep)
    asyncio.run(act(mock, world))
    assert nobody_waits(mock)
    assert list(mock.breaches) == []


class TestWait:
    def test_what_matches_already_is_given_at_once(self) -> None:
        async def fail(_: float) -> None:
            raise AssertionError("nobody has to wait")

        async def act(mock: Mock, world: World) -> None:
            await ask(world, "GET", "/plans")
            assert (await listed(world, "wait=60&operation=get_plans"))["matched"] == 1

        play(act, fail)

    @pytest.mark.parametrize("query", ["", "wait=0", "operation=create_zone", "operation=create_zone&wait=0"])
    def test_without_a_time_nobody_waits(self, query: str) -> None:
        async def act(mock: Mock, world: World) -> None:
            assert (await listed(world, query))["matched"] == 0

        play(act)

    def test_what_comes_later_ends_it(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            task = await waiting(mock, world, "wait=60&operation=create_zone")
            await ask(world, "GET", "/plans")
            await ask(world, "GET", "/nothing")
            await settled()
            assert not task.done()
            await ask(world, "POST", "/zones", json={"name": "Attic"})
            assert [line["number"] for line in (await task).json["requests"]] == [3]

        play(act)

    @pytest.mark.parametrize("at_least", [1, 2, 5])
    def test_so_many_have_to_match(self, at_least: int) -> None:
        async def act(mock: Mock, world: World) -> None:
            task = await waiting(mock, world, f"wait=60&at_least={at_least}&status=2xx&limit=1")
            for asked in range(at_least):
                await settled()
                assert not task.done(), asked
                await ask(world, "GET", "/nothing")
                await ask(world, "GET", "/plans")
            answer = (await task).json
            assert (answer["matched"], len(answer["requests"])) == (at_least, 1)

        play(act)

    def test_many_who_wait_are_all_told(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            tasks = [await waiting(mock, world, "wait=60&limit=0") for _ in range(20)]
            assert mock.waiting == 20
            await ask(world, "GET", "/plans")
            assert {(await task).json["matched"] for task in tasks} == {1}

        play(act)

    def test_a_cursor_waits_for_what_comes_behind_it(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            await ask(world, "GET", "/plans")
            cursor = (await listed(world))["cursor"]
            task = await waiting(mock, world, f"wait=60&since={cursor}")
            assert not task.done()
            await ask(world, "GET", "/status")
            assert [line["number"] for line in (await task).json["requests"]] == [2]

        play(act)

    def test_when_the_time_is_over_there_is_what_there_is(self) -> None:
        sleep = Sleeper()

        async def act(mock: Mock, world: World) -> None:
            await ask(world, "GET", "/plans")
            answer = await listed(world, "wait=7&at_least=2")
            assert [line["number"] for line in answer["requests"]] == [1]

        play(act, sleep)
        assert sleep.slept == [7]

    @pytest.mark.parametrize("again", [False, True])
    def test_a_world_that_is_deleted_is_no_longer_there(self, again: bool) -> None:
        async def act(mock: Mock, world: World) -> None:
            task = await waiting(mock, world, "wait=60")
            assert (await asked_control(world, "DELETE", "")).status == 204
            if again:
                world_of(mock)
            answer = await task
            assert (answer.status, answer.code) == (404, "unknown_world")

        play(act)

    def test_a_reset_is_no_end_and_what_comes_behind_it_is(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            for _ in range(3):
                await ask(world, "GET", "/plans")
            task = await waiting(mock, world, "wait=60&since=3")
            assert (await asked_control(world, "POST", "/reset")).status == 200
            await settled()
            assert not task.done()
            await ask(world, "GET", "/plans")
            assert [line["number"] for line in (await task).json["requests"]] == [1]

        play(act)

    def test_an_emptied_journal_is_no_end(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            await ask(world, "GET", "/plans")
            task = await waiting(mock, world, "wait=60&at_least=2")
            assert (await asked_control(world, "DELETE", "/requests")).status == 204
            await ask(world, "GET", "/plans")
            await settled()
            assert not task.done()
            await ask(world, "GET", "/plans")
            assert [line["number"] for line in (await task).json["requests"]] == [3, 2]

        play(act)

    def test_other_worlds_are_no_news(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            other = world_of(mock, "other")
            task = await waiting(mock, world, "wait=60")
            await ask(other, "GET", "/plans")
            await settled()
            assert not task.done()
            await ask(world, "GET", "/plans")
            await task

        play(act)

    def test_what_a_fault_has_lost_is_news_as_well(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            body = {"id": "gone", "when": "after", "do": "lose"}
            assert (await asked_control(world, "POST", "/faults", json=body)).status == 201
            task = await waiting(mock, world, "wait=60&fault=gone")
            with pytest.raises(ConnectionLost):
                await ask(world, "GET", "/plans")
            assert (await task).json["matched"] == 1

        play(act)

    def test_only_so_many_may_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(control_journal, "MOST_WAITING", 2)

        async def act(mock: Mock, world: World) -> None:
            tasks = [await waiting(mock, world, "wait=60") for _ in range(2)]
            third = await asked_control(world, "GET", "/requests", query=b"wait=60")
            assert (third.status, third.code) == (409, "too_many_waiting")
            assert mock.waiting == 2
            # Who does not have to wait takes no place.
            assert (await listed(world))["matched"] == 0
            await ask(world, "GET", "/plans")
            for task in tasks:
                await task
            assert (await (await waiting(mock, world, "wait=60"))).status == 200

        play(act)

    def test_cancelled_it_frees_its_place(self) -> None:
        """As when the server stops."""

        async def act(mock: Mock, world: World) -> None:
            task = await waiting(mock, world, "wait=60")
            task.cancel()
            answer = await task
            assert (answer.status, answer.code) == (503, "stopping")
            assert nobody_waits(mock)
            assert len(asyncio.all_tasks()) == 1, "nothing goes on waiting by itself"

        play(act)

    def test_who_has_gone_frees_the_place(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            gone = asyncio.Event()
            messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

            async def receive() -> Message:
                if (message := next(messages, None)) is not None:
                    return message
                await gone.wait()
                return {"type": "http.disconnect"}

            task = await waiting(mock, world, "wait=60", receive=receive)
            assert not task.done()
            gone.set()
            await asyncio.wait([task])
            assert nobody_waits(mock)

        play(act)

    def test_every_other_end_leaves_nothing_behind(self) -> None:
        async def act(mock: Mock, world: World) -> None:
            task = await waiting(mock, world, "wait=60")
            await ask(world, "GET", "/plans")
            await task
            assert len(asyncio.all_tasks()) == 1

        play(act)


async def settled() -> None:
    """Everybody else has done what there is to do."""
    for _ in range(20):
        await asyncio.sleep(0)


# -- one entry ----------------------------------------------------------------------------------------------------


JSON = {"content-type": "application/json"}
KINDS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "fine": ("GET", "/plans", {}, 200),
    "made": ("POST", "/zones", {"json": {"name": "Attic"}}, 200),
    "head": ("HEAD", "/plans", {}, 200),
    "options": ("OPTIONS", "/plans", {}, 204),
    "bad": ("POST", "/zones", {"body": b"{", "headers": JSON}, 400),
    "credential": ("GET", "/zones", {"key": "nobody"}, 401),
    "permission": ("POST", "/zones", {"key": "demo-reader", "json": {"name": "Attic"}}, 403),
    "route": ("GET", "/nothing", {}, 404),
    "head of nothing": ("HEAD", "/nothing", {}, 404),
    "state": ("GET", "/zones/01J9ZC3M4N5P6Q7R8S9T0V1W00", {}, 404),
    "method": ("DELETE", "/plans", {}, 405),
    "no method at all": ("BREW", "/plans", {}, 405),
    "size": ("POST", "/zones", {"body": BIG, "headers": JSON}, 413),
    "media type": ("POST", "/zones", {"body": b"{}", "headers": {"content-type": "text/plain"}}, 415),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_names_its_entry(world: World, kind: str) -> None:
    method, path, more, status = KINDS[kind]
    world.call("GET", "/status")
    answer = world.call(method, path, **more)
    assert (answer.status, answer.headers["x-mock-request"]) == (status, "2")
    shown = entry(world, answer)
    assert (shown["number"], shown["method"], shown["status"]) == (2, method, status)
    assert shown["path"] == f"/w/still/api/v1{path}"
    named = {each["name"]: each["value"] for each in shown["response"]["headers"]}
    assert named["x-mock-request"] == "2"
    assert named["x-request-id"] == answer.headers["x-request-id"]
    assert (shown["explanation"] is None) == (status < 400)
    assert (shown["why"] is None) == (status < 400)


@pytest.mark.parametrize("path", ["/_mock/worlds", "/openapp/docs", "/openapp/openapi.json", "/w/nowhere/api/v1/plans"])
def test_what_is_asked_of_no_world_is_in_no_journal(client: Client, path: str) -> None:
    assert "x-mock-request" not in client.request("GET", path).headers


def test_an_entry_tells_when_and_by_whom(world: World) -> None:
    world.advance("P1D")
    shown = entry(world, make_zone(world))
    assert (shown["at"], shown["received_at"]) == ("2024-03-01T00:00:00Z", "2026-09-21T14:13:20Z")
    assert (shown["api"], shown["operation"], shown["caller"]) == ("openapp", "create_zone", "owner of Acme Doors")
    assert shown["milliseconds"] >= 0
    assert (shown["delivery"], shown["faults"], shown["changed"]) == ("whole", [], True)


@pytest.mark.parametrize("number", [2, 9_007_199_254_740_991])
def test_what_is_not_there_is_404(world: World, number: int) -> None:
    world.call("GET", "/plans")
    answer = world.control("GET", f"/requests/{number}")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("number", ["0", "-1", "x", "9007199254740992"])
def test_what_is_no_number_is_400(world: World, number: str) -> None:
    assert world.control("GET", f"/requests/{number}").status == 400


def test_a_request_that_changes_nothing_says_so(world: World) -> None:
    for answer in (world.call("GET", "/plans"), make_zone(world, key="nobody"), world.call("PUT", "/plans")):
        shown = entry(world, answer)
        assert (shown["changed"], shown["changes"]) == (False, [])


def test_the_use_of_an_api_key_is_no_change_of_its_request(world: World) -> None:
    key = world.call("POST", "/api-keys", json={"name": "ci"}).json["token"]
    shown = entry(world, world.call("GET", "/zones", key))
    assert (shown["status"], shown["changed"]) == (200, False)


# -- bodies and other bytes ---------------------------------------------------------------------------------------


def sent(world: World, body: bytes) -> Any:
    """How the journal shows a body that was sent."""
    return entry(world, world.billing("POST", "checkout", body=body, headers=JSON))["request"]["body"]


class TestBodies:
    def test_text_is_text(self, world: World) -> None:
        text = '{"name":"Dach \U0001f600"}'
        assert sent(world, text.encode()) == {"size": len(text.encode()), "text": text, "base64": None, "cut": False}

    def test_none_is_neither_text_nor_bytes(self, world: World) -> None:
        assert sent(world, b"") == {"size": 0, "text": None, "base64": None, "cut": False}

    @settings(max_examples=40)
    @given(st.binary(min_size=1, max_size=300))
    def test_bytes_are_bytes(self, data: bytes) -> None:
        shown = sent(new_world()[1], data)
        assert shown["size"] == len(data)
        assert (shown["text"] is None) != (shown["base64"] is None)
        assert data == (shown["text"].encode() if shown["base64"] is None else base64.b64decode(shown["base64"]))

    @pytest.mark.parametrize("size", [LONGEST_BODY - 1, LONGEST_BODY, LONGEST_BODY + 1])
    def test_the_first_64_kib_are_kept(self, world: World, size: int) -> None:
        shown = sent(world, b"a" * size)
        assert (shown["size"], shown["cut"]) == (size, size > LONGEST_BODY)
        assert shown["text"] == "a" * min(size, LONGEST_BODY)

    @settings(max_examples=40)
    @given(st.sampled_from("aé€\U0001f600"), st.integers(0, 5), st.integers(0, 3))
    def test_a_letter_that_is_cut_in_two_is_left_out(self, letter: str, before: int, after: int) -> None:
        text = "a" * (LONGEST_BODY - before) + letter * 4 + "b" * after
        shown = sent(new_world()[1], text.encode())
        assert shown["size"] == len(text.encode())
        assert shown["cut"] == (len(text.encode()) > LONGEST_BODY)
        assert text.startswith(shown["text"])
        assert LONGEST_BODY - 4 < len(shown["text"].encode()) <= LONGEST_BODY

    def test_bytes_that_are_no_text_where_they_are_cut_stay_bytes(self, world: World) -> None:
        for data in (
            b"a" * (LONGEST_BODY - 1) + b"\xff" * 9,
            b"\xc3" + b"a" * LONGEST_BODY,
            b"\xe2\x82" * LONGEST_BODY,
        ):
            shown = sent(world, data)
            assert shown["text"] is None
            assert base64.b64decode(shown["base64"]) == data[:LONGEST_BODY]

    def test_a_body_that_is_too_large_was_not_read(self, world: World) -> None:
        assert sent(world, BIG)["size"] == 0

    def test_an_answer_of_many_bytes_is_cut_too(self, world: World) -> None:
        more = {"source_locale": "en", "target_locales": [f"de-{n:04}" for n in range(20)]}
        answer = world.call("POST", "/ai/translate-locale-content", json={"title": "", "body": "ä" * 10_000, **more})
        shown = entry(world, answer)["response"]["body"]
        assert (shown["size"], shown["cut"]) == (len(answer.body), True)
        assert answer.body.decode().startswith(shown["text"])


RAW = st.one_of(
    st.sampled_from(
        ["%ED%A0%80", "%FF", "%00", "%C3%A9", "%2F", "%2e%2e", "\xff", "\xed\xa0\x80", "é", "%", "%zz", "%%"]
    ),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="?#"), min_size=1, max_size=8),
)


@settings(max_examples=80)
@given(
    st.lists(RAW, max_size=4), st.lists(RAW, max_size=4), st.lists(RAW, max_size=2), st.sampled_from(["GET", "POST"])
)
@example(["zones", "%ED%A0%80"], ["limit=%ED%A0%80"], ["\xff"], "GET")
@example(["orgs", "\xed\xa0\x80", "billing", "plan"], [], [], "GET")
def test_no_bytes_break_the_journals_own_answers(
    path: list[str], query: list[str], values: list[str], method: str
) -> None:
    mock, world = new_world()
    raw_path = "/" + "/".join(path)
    raw_query = "&".join(query).encode("latin-1")
    headers = [("x-any", value) for value in values] + [("x-org", value) for value in values[:1]]
    answer = world.call(method, raw_path, query=raw_query, headers=headers)
    if "x-mock-request" not in answer.headers:
        return  # a page of the mock's own
    shown = newest(world)
    assert (shown["path"], shown["query"]) == (f"/w/still/api/v1{raw_path}", raw_query.decode("latin-1"))
    kept = [each["value"] for each in shown["request"]["headers"] if each["name"] == "x-any"]
    assert kept == values
    assert world.control("GET", "/audit").status == 200
    for name in ("har", "curl", "pytest", "scenario"):
        assert world.control("GET", "/requests/export", query=f"format={name}".encode()).status == 200
    assert list(mock.breaches) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"\\ud800"}',
        b'{"name":"\xed\xa0\x80"}',
        b'{"\\udfff":1}',
        b'{"name":"\xff"}',
        b'{"name":"\\u0000"}',
        '{"name":"","é\U0001f600":1}'.encode(),
    ],
)
def test_half_letters_in_bodies_do_not_either(world: World, body: bytes) -> None:
    answer = world.call("POST", "/zones", body=body, headers=JSON)
    assert answer.status in (200, 400)
    shown = entry(world, answer)["request"]["body"]
    assert body == (shown["text"].encode() if shown["base64"] is None else base64.b64decode(shown["base64"]))


def test_a_body_of_thousands_of_wrong_members_is_refused_in_a_few_words(world: World) -> None:
    body = {f"member-{n}" * 5: n for n in range(1_000)}
    shown = entry(world, world.call("POST", "/zones", json=body))
    assert 0 < len(shown["why"]) <= 2_000
    assert shown["explanation"]["check"] == "schema"


# -- bounds -------------------------------------------------------------------------------------------------------


def billed(mock: Mock) -> tuple[int, int]:
    """What the journals of all worlds are believed to hold, and what they do."""
    return mock.worlds._journal_bytes, sum(each.journal_bytes for each in mock.worlds)


class TestBounds:
    def test_by_count(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journals, "MOST_ENTRIES", 3)
        for _ in range(5):
            world.call("GET", "/plans")
        assert numbers(world) == [5, 4, 3]
        assert world.control("GET", "/requests/2").status == 404

    def test_by_bytes(self, mock: Mock, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journals, "MOST_BYTES", 200_000)
        for _ in range(10):
            world.call("POST", "/zones", body=b"x" * 50_000, headers=JSON)
        held = mock.worlds.get("still")
        assert held is not None
        assert 100_000 < held.journal_bytes <= 200_000
        assert numbers(world) == [10, 9, 8]
        assert journal(world)["dropped"] == 7

    def test_headers_paths_and_queries_count_too(
        self, mock: Mock, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journals, "MOST_BYTES", 100_000)
        for _ in range(10):
            world.call("GET", "/" + "p" * 5_000, query=b"q" * 5_000, headers={"x-any": "h" * 10_000})
        assert 0 < len(numbers(world)) < 6

    def test_over_all_worlds_the_largest_make_room(self, mock: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stores, "MOST_BYTES_OF_ALL", 400_000)
        many = [world_of(mock, f"world-{n}") for n in range(4)]
        many[0].call("GET", "/plans")
        for n in range(40):
            many[1 + n % 3].call("POST", "/zones", body=b"x" * 30_000, headers=JSON)
            believed, held = billed(mock)
            assert believed == held <= 400_000
        assert numbers(many[0]) == [1]
        assert numbers(many[1])[0] == 14

    @settings(max_examples=40)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["GET", "GET", "GET", "clear", "reset", "delete", "restore", "put"]), st.integers(0, 2)
            ),
            max_size=25,
        )
    )
    def test_what_is_counted_is_what_is_there(self, acts: list[tuple[str, int]]) -> None:
        mock, _ = new_world()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stores, "MOST_BYTES_OF_ALL", 12_000)
            patch.setattr(journals, "MOST_ENTRIES", 4)
            patch.setattr(journals, "MOST_REVISIONS", 2)
            for act, which in acts:
                name = f"world-{which}"
                if mock.worlds.get(name) is None:
                    world_of(mock, name).control("POST", "/snapshots", json={"id": "s"})
                world = World(Client(mock_app(mock)), name)
                if act == "GET":
                    make_zone(world)
                elif act == "clear":
                    world.control("DELETE", "/requests")
                elif act == "put":
                    world.control("PUT", "/state", json=world.control("GET", "/state").json)
                elif act == "delete":
                    world.control("DELETE")
                else:
                    world.control("POST", "/reset" if act == "reset" else "/snapshots/s/restore")
                believed, held = billed(mock)
                assert believed == held
                for kept in mock.worlds:
                    assert len(kept.journal) <= 4
                    # Less than was counted, since secrets are masked when somebody looks.
                    assert kept.journal_bytes >= sum(each.size for each in kept.journal)
        assert list(mock.breaches) == []

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("path", ["/reset", ""])
    def test_what_is_in_flight_when_its_world_goes_belongs_to_the_world_it_was_decided_in(
        self, when: str, path: str
    ) -> None:
        gate = Gate()
        mock, world = new_world(gate)
        add_fault(world, when=when, do="delay", delay={"distribution": "fixed", "ms": 5}, operation="get_plans")

        async def act() -> None:
            await ask(world, "GET", "/status")
            slow = asyncio.ensure_future(ask(world, "GET", "/plans"))
            await gate.has_waiting(1)
            await asked_control(world, "POST" if path else "DELETE", path)
            gate.open()
            answer = await slow
            assert answer.status == 200
            if path:
                found = (await listed(world))["requests"]
                assert [str(each["number"]) for each in found] == (
                    [answer.headers["x-mock-request"]] if when == "before" else []
                )

        asyncio.run(act())
        believed, held = billed(mock)
        assert believed == held
        assert (held == 0) == (not path or when == "after")


def mock_app(mock: Mock) -> Any:
    from mock_server.app import create_app

    return create_app(mock)


class TestStates:
    """The states that explanations need are kept for a while, and then no longer."""

    def test_they_are_let_go_when_the_world_has_changed_often_since(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journals, "MOST_REVISIONS", 3)
        refused = world.billing("POST", "checkout", json={"tier_slug": "gold"})
        made = make_zone(world)
        assert entry(world, made)["changes"] is not None
        for n in range(6):
            assert world.billing("POST", "checkout", json={"tier_slug": ("pro", "starter")[n % 2]}).status == 200
        assert (entry(world, made)["changed"], entry(world, made)["changes"]) == (True, None)
        explanation = entry(world, refused)["explanation"]
        assert (explanation["check"], entry(world, refused)["changes"]) == ("state", [])
        assert explanation["rule"]
        assert world.control("GET", "/requests/export", query=b"format=scenario").code == "start_forgotten"
        assert world.control("GET", "/audit").status == 200

    def test_another_state_in_its_place_makes_them_meaningless(self, mock: Mock, world: World) -> None:
        refused, made = world.billing("POST", "checkout", json={"tier_slug": "gold"}), make_zone(world)
        assert world.control("PUT", "/state", json=world.control("GET", "/state").json).status == 200
        assert entry(world, made)["changes"] is None
        assert entry(world, refused)["explanation"]["rule"]
        assert numbers(world) == [2, 1]
        later = make_zone(world, "Later")
        assert entry(world, later)["changes"] is not None

    def test_one_that_went_back_in_time_keeps_them(self, world: World) -> None:
        world.control("POST", "/snapshots", json={"id": "s"})
        made = make_zone(world)
        world.control("POST", "/snapshots/s/restore")
        assert entry(world, made)["changes"] is not None

    def test_the_newest_always_has_its_state(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journals, "MOST_REVISIONS", 0)
        for _ in range(3):
            assert entry(world, make_zone(world))["changes"] is not None

    def test_their_number_stays_bounded(self, mock: Mock, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journals, "MOST_REVISIONS", 5)
        for n in range(30):
            world.billing("POST", "checkout", json={"tier_slug": ("pro", "starter")[n % 2]})
        held = mock.worlds.get("still")
        assert held is not None
        assert sum(each.state is not None for each in held.journal) <= 6


# -- emptying -----------------------------------------------------------------------------------------------------


def test_an_emptied_journal_goes_on_counting(mock: Mock, world: World) -> None:
    for _ in range(3):
        world.call("GET", "/plans")
    assert world.control("DELETE", "/requests").status == 204
    assert (numbers(world), journal(world)["answered"], billed(mock)) == ([], 3, (0, 0))
    assert world.control("GET", "/requests/3").status == 404
    assert world.call("GET", "/plans").headers["x-mock-request"] == "4"
    assert numbers(world) == [4]


def test_a_reset_begins_anew(world: World) -> None:
    for _ in range(3):
        world.call("GET", "/plans")
    world.control("POST", "/reset")
    assert (journal(world)["answered"], journal(world)["dropped"], numbers(world)) == (0, 0, [])
    assert world.call("GET", "/plans").headers["x-mock-request"] == "1"


def test_of_a_client_that_left_there_is_an_entry_without_an_answer() -> None:
    _, world = new_world(never)
    add_fault(world, when="after", do="delay", delay={"distribution": "fixed", "ms": 5})
    left(world, "GET", f"/orgs/{ACME}/billing/plan")
    shown = newest(world)
    assert (shown["status"], shown["problem"], shown["delivery"]) == (0, "client_gone", "client_gone")
    assert shown["response"] == {"headers": [], "body": {"size": 0, "text": None, "base64": None, "cut": False}}
    assert shown["explanation"] is None
    assert numbers(world, "problem=client_gone") == [1]
