"""Which writes were done twice: told from the journal, for every way in which an answer can fail to arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.http.delivery import ConnectionLost
from mock_server.store import journal as journals

from .client import ACME, GLOBEX, World
from .resource_recipes import stock
from .watching import Sleeper, add_fault, audit, journal, left, make_zone, never, new_world, zones

DELAY = {"distribution": "fixed", "ms": 5_000}
TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "lost": ({"when": "after", "do": "lose"}, "answer lost by fault trouble"),
    "reset": ({"when": "after", "do": "lose", "how": "reset"}, "answer lost by fault trouble"),
    "truncated": ({"when": "after", "do": "truncate"}, "answer cut off by fault trouble"),
    "malformed": ({"when": "after", "do": "malform"}, "answer damaged by fault trouble"),
    "replaced": ({"when": "after", "do": "answer", "status": 502}, "answer replaced by an error by fault trouble"),
    "late": ({"when": "after", "do": "delay", "delay": DELAY}, "answer late by fault trouble"),
    "client gone": ({"when": "after", "do": "delay", "delay": DELAY}, "client gone before the answer by fault trouble"),
    "repeated": ({"when": "duplicate", "do": "repeat"}, "request repeated by fault trouble"),
}
troubles = pytest.mark.parametrize("trouble", TROUBLES)
lasting = pytest.mark.parametrize("trouble", [each for each in TROUBLES if each != "repeated"])

Write = tuple[str, str, bytes, dict[str, str]]
"""Method, path, body, headers."""
ZONE: Write = ("POST", "/zones", b'{"name":"Attic"}', {})
POLICY: Write = ("PUT", f"/orgs/{ACME}/billing/degradation/policy", b'{"policy":"oldest_first"}', {})


def world_with(trouble: str, count: int = 1, **only: Any) -> World:
    _, world = new_world(never if trouble == "client gone" else Sleeper())
    add_fault(world, id="trouble", **TROUBLES[trouble][0], count=count, **only)
    return world


def in_trouble(world: World, trouble: str, write: Write, key: str = "demo-owner") -> None:
    """A write whose answer does not arrive as it should."""
    method, path, body, headers = write
    if trouble == "client gone":
        left(world, method, path, body, headers=headers, key=key)
        return
    try:
        send(world, write, key)
    except ConnectionLost:
        assert trouble in ("lost", "reset", "truncated")


def send(world: World, write: Write, key: str = "demo-owner") -> int:
    method, path, body, headers = write
    pairs = {"content-type": "application/json", **headers} if body else headers
    status: int = world.call(method, path, key, body=body, headers=pairs).status
    return status


def counts(world: World) -> tuple[int, int, int]:
    found = audit(world)
    assert len(found["writes"]) == found["done_twice"] + found["harmless"] + found["not_repeated"]
    return found["done_twice"], found["harmless"], found["not_repeated"]


@lasting
def test_tried_again_it_is_done_twice(trouble: str) -> None:
    world = world_with(trouble)
    in_trouble(world, trouble, ZONE)
    assert send(world, ZONE) == 200
    assert zones(world) == ["Attic", "Attic"]
    assert counts(world) == (1, 0, 0)
    (write,) = audit(world)["writes"]
    assert write["verdict"] == "done_twice"
    assert write["trouble"] == TROUBLES[trouble][1]
    assert (write["number"], write["operation"]) == (1, "create_zone")
    assert (write["caller"], write["method"]) == ("owner of Acme Doors", "POST")
    assert write["path"] == "/w/still/api/v1/zones"
    assert write["repeats"] == [{"number": 2, "status": 200, "changed": True}]
    assert write["done"] == [["Acme Doors: zone 'Attic' added"]] * 2
    assert write["key"] is None
    assert "no key" in write["prevention"]


def test_a_proxy_that_retries_does_it_twice_by_itself() -> None:
    world = world_with("repeated")
    assert send(world, ZONE) == 200
    assert counts(world) == (1, 0, 0)
    (write,) = audit(world)["writes"]
    assert (write["number"], write["trouble"]) == (1, "request repeated by fault trouble")
    assert write["repeats"] == [{"number": 2, "status": 200, "changed": True}]


@troubles
def test_tried_again_where_the_same_twice_is_the_same_once_it_is_harmless(trouble: str) -> None:
    world = world_with(trouble)
    in_trouble(world, trouble, POLICY)
    if trouble != "repeated":
        assert send(world, POLICY) == 200
    assert counts(world) == (0, 1, 0)
    (write,) = audit(world)["writes"]
    assert write["repeats"][0]["changed"] is False
    assert len(write["done"]) == 1
    assert write["prevention"].startswith("Nothing to do")


@lasting
@pytest.mark.parametrize(
    ("keys", "expected"),
    [(("once", "once"), (0, 1, 0)), (("one", "other"), (1, 0, 0)), ((None, None), (1, 0, 0)), ((None, "x"), (1, 0, 0))],
)
def test_an_idempotency_key_makes_it_harmless_if_it_is_the_same(
    trouble: str, keys: tuple[str | None, str | None], expected: tuple[int, int, int]
) -> None:
    world = world_with(trouble, operation="execute_entity_action")
    path = f"/entities/{stock(world)['entity']}/actions/switchable.open"
    first, second = ({} if key is None else {"idempotency-key": key} for key in keys)
    in_trouble(world, trouble, ("POST", path, b"{}", first))
    assert send(world, ("POST", path, b"{}", second)) == 200
    assert counts(world) == expected
    (write,) = audit(world)["writes"]
    assert write["key"] == "Idempotency-Key"
    assert "Idempotency-Key" in write["prevention"] or expected == (0, 1, 0)
    assert ("different values" in write["prevention"]) == (expected == (1, 0, 0) and bool(keys[0]))


@pytest.mark.parametrize("trouble", [each for each in TROUBLES if each not in ("repeated", "late")])
def test_not_tried_again_nobody_may_know_that_it_is_done(trouble: str) -> None:
    world = world_with(trouble)
    in_trouble(world, trouble, ZONE)
    assert counts(world) == (0, 0, 1)
    (write,) = audit(world)["writes"]
    assert (write["repeats"], write["done"]) == ([], [["Acme Doors: zone 'Attic' added"]])
    assert "may not know" in write["prevention"]


def test_an_answer_that_is_only_late_has_arrived() -> None:
    world = world_with("late")
    in_trouble(world, "late", ZONE)
    assert counts(world) == (0, 0, 0)


class TestWhatIsNoTrouble:
    @pytest.mark.parametrize("trouble", [each for each in TROUBLES if each not in ("client gone", "late", "repeated")])
    def test_reads(self, trouble: str) -> None:
        world = world_with(trouble, count=3)
        for _ in range(3):
            in_trouble(world, trouble, ("GET", "/zones", b"", {}))
        assert counts(world) == (0, 0, 0)

    @pytest.mark.parametrize("trouble", [each for each in TROUBLES if each not in ("client gone", "late", "repeated")])
    def test_refusals(self, trouble: str) -> None:
        world = world_with(trouble)
        wrong = ("POST", "/zones", b'{"nam":"Attic"}', {})
        in_trouble(world, trouble, wrong)
        send(world, wrong)
        assert counts(world) == (0, 0, 0)

    @pytest.mark.parametrize(
        "fault",
        [
            {"when": "before", "do": "lose"},
            {"when": "before", "do": "answer", "status": 503},
            {"when": "before", "do": "malform"},
        ],
    )
    def test_what_was_never_done(self, world: World, fault: dict[str, Any]) -> None:
        add_fault(world, **fault, count=1)
        try:
            make_zone(world)
        except ConnectionLost:
            pass
        assert make_zone(world).status == 200
        assert counts(world) == (0, 0, 0)

    def test_the_same_twice_with_both_answers_in_hand(self, world: World) -> None:
        for _ in range(2):
            assert make_zone(world).status == 200
        assert counts(world) == (0, 0, 0)


class TestWhatBelongsTogether:
    """Not every request that looks alike is the repetition of another."""

    @pytest.fixture
    def broken(self) -> World:
        world = world_with("lost", operation="create_zone")
        in_trouble(world, "lost", ZONE)
        return world

    def test_another_body(self, broken: World) -> None:
        assert send(broken, ("POST", "/zones", b'{"name":"Cellar"}', {})) == 200
        assert counts(broken) == (0, 0, 1)

    def test_another_caller(self, broken: World) -> None:
        assert send(broken, ZONE, "demo-globex") == 200
        assert counts(broken) == (0, 0, 1)

    def test_another_caller_of_the_same_organization(self, broken: World) -> None:
        key = broken.call("POST", "/api-keys", json={"name": "ci"}).json["token"]
        assert send(broken, ZONE, key) == 200
        assert counts(broken) == (0, 0, 1)

    def test_another_path(self, broken: World) -> None:
        send(broken, ("POST", "/users", ZONE[2], {}))
        assert counts(broken) == (0, 0, 1)

    def test_another_query(self) -> None:
        world = world_with("lost", operation="delete_device")
        device = stock(world)["device"]
        with pytest.raises(ConnectionLost):
            world.call("DELETE", f"/devices/{device}", query=b"recursive=true")
        world.call("DELETE", f"/devices/{device}", query=b"recursive=false")
        assert counts(world) == (0, 0, 1)

    def test_another_organization_that_a_header_names(self) -> None:
        """An operator who makes the same in two organizations has not tried again."""
        world = world_with("lost", operation="create_zone")
        in_trouble(world, "lost", (*ZONE[:3], {"x-org": ACME}), "demo-operator")
        assert send(world, (*ZONE[:3], {"x-org": GLOBEX}), "demo-operator") == 200
        assert counts(world) == (0, 0, 1)

    def test_headers_that_differ_with_every_try_are_no_difference(self) -> None:
        world = world_with("lost", operation="create_zone")
        in_trouble(world, "lost", (*ZONE[:3], {"x-correlation-id": "one", "traceparent": "00-1", "x-try": "1"}))
        assert send(world, (*ZONE[:3], {"x-correlation-id": "two", "traceparent": "00-2", "x-try": "2"})) == 200
        assert counts(world) == (1, 0, 0)

    def test_bodies_that_differ_only_in_what_the_journal_masks(self) -> None:
        world = world_with("lost", operation="create_integration")
        made = b'{"org_id":"%s","provider_type":"mqtt","secrets":{"password":"%s"}}'
        in_trouble(world, "lost", ("POST", "/integrations", made % (ACME.encode(), b"geheim-1"), {}))
        assert send(world, ("POST", "/integrations", made % (ACME.encode(), b"geheim-2"), {})) == 200
        assert counts(world) == (0, 0, 1)

    def test_bodies_that_differ_only_where_the_journal_has_cut_them(self) -> None:
        world = world_with("lost", operation="translate_locale_content", count=2)
        text = b'{"title":"","source_locale":"en","target_locales":["de"],"body":"%s%s"}'
        padded = b" " * journals.LONGEST_BODY + text
        for end in (b"a", b"b"):
            in_trouble(world, "lost", ("POST", "/ai/translate-locale-content", padded % (b"x", end), {}))
        assert counts(world) == (0, 0, 2)

    def test_one_that_comes_after_an_answer_in_order_is_no_repetition(self, broken: World) -> None:
        for _ in range(2):
            assert send(broken, ZONE) == 200
        (write,) = audit(broken)["writes"]
        assert [each["number"] for each in write["repeats"]] == [2]

    def test_other_requests_in_between_are_no_matter(self, broken: World) -> None:
        broken.call("GET", "/zones")
        assert send(broken, ("POST", "/zones", b'{"name":"Cellar"}', {})) == 200
        assert send(broken, ZONE) == 200
        assert counts(broken) == (1, 0, 0)


class TestSeveralTries:
    @settings(max_examples=25)
    @given(st.integers(1, 6))
    def test_all_up_to_the_first_that_is_answered_belong_together(self, lost: int) -> None:
        world = world_with("lost", count=lost, operation="create_zone")
        world.billing("POST", "checkout", json={"tier_slug": "business"})
        for _ in range(lost):
            in_trouble(world, "lost", ZONE)
        assert send(world, ZONE) == 200
        (write,) = audit(world)["writes"]
        assert [each["number"] for each in write["repeats"]] == list(range(3, lost + 3))
        assert len(write["done"]) == lost + 1
        assert counts(world) == (1, 0, 0)

    def test_then_the_next_trouble_is_another_write(self) -> None:
        world = world_with("lost", count=2, operation="create_zone")
        world.billing("POST", "checkout", json={"tier_slug": "business"})
        in_trouble(world, "lost", ZONE)
        world.control("DELETE", "/faults")
        assert send(world, ZONE) == 200
        add_fault(world, id="again", when="after", do="lose", operation="create_zone")
        in_trouble(world, "lost", ZONE)
        writes = audit(world)["writes"]
        assert [(each["number"], each["verdict"]) for each in writes] == [(2, "done_twice"), (4, "not_repeated")]
        assert writes[1]["trouble"] == "answer lost by fault again"

    def test_a_try_that_is_refused_has_changed_nothing_more(self, world: World) -> None:
        names = stock(world)
        add_fault(world, when="after", do="lose", operation="delete_user", count=1)
        with pytest.raises(ConnectionLost):
            world.call("DELETE", f"/users/{names['user']}")
        assert world.call("DELETE", f"/users/{names['user']}").status == 404
        (write,) = audit(world)["writes"]
        assert (write["verdict"], write["repeats"][0]["status"]) == ("harmless", 404)

    def test_a_fault_before_the_work_on_the_second_try_does_not_end_it(self, world: World) -> None:
        add_fault(world, when="after", do="lose", operation="create_zone", count=1)
        add_fault(world, when="before", do="answer", status=503, operation="create_zone", skip=1, count=1)
        with pytest.raises(ConnectionLost):
            make_zone(world)
        assert [make_zone(world).status for _ in range(2)] == [503, 200]
        (write,) = audit(world)["writes"]
        assert [(each["status"], each["changed"]) for each in write["repeats"]] == [(503, False), (200, True)]

    def test_a_repetition_that_is_lost_too_is_told_of_the_fault_that_repeats(self) -> None:
        """Which fault is named does not depend on which others have acted beside it."""
        sleep = Sleeper()
        _, world = new_world(sleep)
        add_fault(world, id="proxy", when="duplicate", do="repeat", operation="create_zone")
        add_fault(world, id="slow", when="before", do="delay", delay=DELAY, operation="create_zone")
        assert make_zone(world).status == 200
        (write,) = audit(world)["writes"]
        assert write["trouble"] == "request repeated by fault proxy"


class TestBounds:
    def test_what_the_journal_has_dropped_is_not_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = world_with("lost", operation="create_zone")
        in_trouble(world, "lost", ZONE)
        monkeypatch.setattr(journals, "MOST_ENTRIES", 2)
        for _ in range(3):
            world.call("GET", "/plans")
        assert counts(world) == (0, 0, 0)

    def test_what_is_no_longer_known_is_said_to_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = world_with("lost", operation="create_zone")
        in_trouble(world, "lost", ZONE)
        assert world.control("PUT", "/state", json=world.control("GET", "/state").json).status == 200
        (write,) = audit(world)["writes"]
        assert write["done"] == [["no longer known"]]

    def test_looking_changes_nothing(self) -> None:
        world = world_with("lost", operation="create_zone")
        in_trouble(world, "lost", ZONE)
        before = journal(world), world.control("GET", "/state").json
        assert audit(world) == audit(world)
        assert (journal(world), world.control("GET", "/state").json) == before


def _by_hand(acts: list[tuple[str, str]]) -> tuple[int, int]:
    """How many writes are done twice and how many not repeated: (name of the zone, "lost" or "fine") in order."""
    waiting: dict[str, int] = {}
    done: list[int] = []
    for name, how in acts:
        if name in waiting:
            waiting[name] += 1
        elif how == "lost":
            waiting[name] = 1
        if how == "fine" and name in waiting:
            done.append(waiting.pop(name))
    tries = [*done, *waiting.values()]
    return sum(each > 1 for each in tries), sum(each == 1 for each in tries)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["lost", "fine"])), max_size=9))
def test_whatever_is_asked_the_tries_are_told_apart(acts: list[tuple[str, str]]) -> None:
    _, world = new_world()
    world.billing("POST", "checkout", json={"tier_slug": "business"})
    doing: dict[str, Callable[[Write], Any]] = {
        "lost": lambda write: in_trouble(world, "lost", write),
        "fine": lambda write: send(world, write),
    }
    for name, how in acts:
        if how == "lost":
            add_fault(world, when="after", do="lose", count=1)
        doing[how](("POST", "/zones", b'{"name":"%s"}' % name.encode(), {}))
        world.control("DELETE", "/faults")
    assert counts(world)[::2] == _by_hand(acts)
