"""What is owed goes out once, in order, when it is due in the world's time, and again as the provider would."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.engine.instants import SECOND
from mock_server.engine.kernel import AgendaOverrun, Fallen
from mock_server.engine.world import forked
from mock_server.store.deliveries import Deliveries, Delivery
from mock_server.store.worlds import World
from mock_server.webhooks import dispatching, owing
from mock_server.webhooks.posting import Answered, Unanswered
from mock_server.webhooks.retrying import MANNERS, manner_of
from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message, Verified

from .sites import BUSY, NOBODY, OK, SECRET, START, URL, Receiver, Sent, Site, emit, later

LIMIT = 20.0


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """In a loop of its own, which must not take for ever."""

    async def limited() -> Any:
        async with asyncio.timeout(LIMIT):
            return await coroutine

    return asyncio.run(limited())


def drawn(seed: int, key: str, number: int) -> float:
    return int.from_bytes(blake2b(f"{seed}/{key}/{number}".encode(), digest_size=4).digest()) / 2**32


def failing(share: float, seed: int) -> Receiver:
    """Fails so often, by refusing the connection or with a status."""

    def answers(key: str, number: int) -> Answered | Unanswered:
        if drawn(seed, key, number) >= share:
            return OK
        return (BUSY, NOBODY, Answered(302, {"location": "/"}, ""), Answered(404, {}, ""))[number % 4]

    return Receiver(answers)


def by_subject(deliveries: list[Delivery]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = defaultdict(list)
    for each in sorted(deliveries, key=lambda each: each.number):
        found[each.happening.subject].append(each)
    return found


# -- retries, order, time -------------------------------------------------------------------------------------------------

plans = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["acme", "globex", "initech"])), min_size=1, max_size=12
)


async def played(
    seed: int, share: float, plan: list[tuple[int, str]], retries: tuple[int, ...], steps: list[int], turns: int
) -> Site:
    """Jobs that emit at these seconds; then the clock is moved by these steps."""
    receiver = failing(share, seed)
    receiver.turns = turns
    site = Site(receiver)
    site.add(retries=retries)
    site.act(*(later(f"{n}", seconds, subject) for n, (seconds, subject) in enumerate(plan)))
    for step in steps:
        await site.advance(step)
    return site


def attempts(site: Site) -> list[tuple[str, int, int, int | None]]:
    """(what, number, world's time in seconds, status) of all attempts."""
    return sorted(
        (each.happening.data["key"], attempt.number, (attempt.at - START) // SECOND, attempt.status)
        for each in site.world.deliveries
        for attempt in each.attempts
    )


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    plans,
    st.lists(st.integers(0, 50), max_size=4).map(tuple),
    st.lists(st.integers(0, 300), min_size=1, max_size=5),
    st.integers(0, 3),
)
@settings(max_examples=60)
def test_all_is_delivered_or_given_up_in_order_and_at_the_times_that_the_retries_say(
    seed: int, share: float, plan: list[tuple[int, str]], retries: tuple[int, ...], steps: list[int], turns: int
) -> None:
    whole = sum(steps) + 400 + 12 * sum(retries)
    steps = [*steps, whole - sum(steps)]
    site = run(played(seed, share, plan, retries, steps, turns))
    deliveries = list(site.world.deliveries)
    assert len(deliveries) == len(plan), "none lost, none twice"
    for delivery in deliveries:
        statuses = [each.status for each in delivery.attempts]
        assert 1 <= len(statuses) == delivery.tried <= 1 + len(retries)
        assert all(each != 200 for each in statuses[:-1])
        assert delivery.state == ("delivered" if statuses[-1] == 200 else "failed")
        if delivery.state == "failed":
            assert len(statuses) == 1 + len(retries)
        times = [each.at for each in delivery.attempts]
        assert times[0] >= delivery.happening.at
        assert [b - a for a, b in pairwise(times)] == [r * SECOND for r in retries[: len(times) - 1]]
    for line in by_subject(deliveries).values():
        for earlier, other in pairwise(line):
            # It goes out at its own time, or as soon as the one before has come to an end.
            assert other.attempts[0].at == max(other.happening.at, earlier.attempts[-1].at)
    # However the clock was moved there, the same came of it.
    assert attempts(run(played(seed, share, plan, retries, [whole], 0))) == attempts(site)


def test_a_retry_is_not_sent_before_its_time() -> None:
    async def play() -> Receiver:
        receiver = failing(1.0, 7)
        site = Site(receiver)
        endpoint = site.add(retries=(5, 60))
        (delivery,) = site.tell(endpoint, "a")
        await site.settle()
        assert receiver.keys == ["a"]
        assert delivery.due == START + 5 * SECOND
        for step, count in ((4.999999, 1), (0.000001, 2), (59, 2), (0.5, 2), (0.5, 3), (100_000, 3)):
            await site.advance(step)
            assert len(receiver.sent) == count, step
        assert delivery.state == "failed"
        return receiver

    receiver = run(play())
    assert [(each.at - START) // SECOND for each in receiver.sent] == [0, 5, 65]


def test_the_machines_clock_sends_nothing_in_a_frozen_world_and_retries_in_a_running_one() -> None:
    async def play() -> None:
        receiver = failing(1.0, 7)
        site = Site(receiver)
        site.ticks = asyncio.Queue()
        endpoint = site.add(retries=(5,))
        (delivery,) = site.tell(endpoint, "a")
        await site.settle()
        site.wall += 3600 * SECOND
        site.ticks.put_nowait(1.0)
        await asyncio.sleep(0.01)
        assert len(receiver.sent) == 1
        site.run_with_the_machine()
        for wait, count in ((4, 1), (1, 2), (100, 2)):
            site.wall += wait * SECOND
            site.ticks.put_nowait(1.0)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(receiver.sent) == count, wait
        assert delivery.state == "failed"

    run(play())


def test_in_a_running_world_what_falls_due_is_told_although_nobody_asks() -> None:
    async def play() -> Receiver:
        receiver = Receiver()
        site = Site(receiver)
        site.ticks = asyncio.Queue()
        site.add()
        site.act(later("a", 10, times=2))
        site.run_with_the_machine()
        for _ in range(3):
            site.wall += 9 * SECOND
            site.ticks.put_nowait(1.0)
            for _ in range(20):
                await asyncio.sleep(0)
        return receiver

    assert run(play()).keys == ["a-1", "a-0"]


# -- what counts as delivered ---------------------------------------------------------------------------------------------


async def _answered(scheme: str, answer: Answered | Unanswered, **more: Any) -> tuple[Site, Delivery]:
    site = Site(Receiver(lambda key, number: answer))
    secret = {"stripe": "whsec_demo"}.get(scheme, SECRET)
    endpoint = site.add(scheme=scheme, secret=secret, **more)
    (delivery,) = site.tell(endpoint, "a")
    await site.settle()
    return site, delivery


@pytest.mark.parametrize("scheme", sorted(MANNERS))
@pytest.mark.parametrize("status", [200, 201, 204, 299, 301, 302, 308, 400, 401, 404, 410, 429, 500, 503])
def test_what_counts_as_delivered_is_the_providers(scheme: str, status: int) -> None:
    site, delivery = run(_answered(scheme, Answered(status, {}, ""), retries=(), timeout_ms=1_500))
    assert site.receiver.timeouts == [1.5]
    expected = status == 200 or (status < 300 and scheme != "lemonsqueezy") or (status < 400 and scheme == "commerce")
    assert delivery.state == ("delivered" if expected else "failed")
    assert [each.status for each in delivery.attempts] == [status]


@pytest.mark.parametrize(
    ("scheme", "status", "asked", "waits"),
    [
        ("standard-webhooks", 503, "120", 120),
        ("standard-webhooks", 429, "120", 120),
        ("standard-webhooks", 429, "1", 5),
        ("standard-webhooks", 500, "120", 5),
        ("standard-webhooks", 429, "99999999", 5),
        ("standard-webhooks", 429, "999999", 604_800),
        ("standard-webhooks", 429, "soon", 5),
        ("standard-webhooks", 429, "-1", 5),
        ("standard-webhooks", 429, "\u0661\u0662\u0663", 5),
        ("generic", 429, "120", 120),
        ("stripe", 429, "120", 5),
    ],
)
def test_retry_after_is_heeded_where_the_specification_says_so(
    scheme: str, status: int, asked: str, waits: int
) -> None:
    _, delivery = run(_answered(scheme, Answered(status, {"retry-after": asked}, ""), retries=(5,)))
    assert delivery.due == START + waits * SECOND


def test_410_disables_the_endpoint_where_the_specification_says_so() -> None:
    site, delivery = run(_answered("svix", Answered(410, {}, ""), retries=(5,)))
    endpoint = site.world.deliveries.endpoint("shop")
    assert endpoint is not None
    assert endpoint.disabled == "it answered 410 Gone"
    assert delivery.state == "pending", "what it is owed stays owed"
    site, _ = run(_answered("stripe", Answered(410, {}, ""), retries=(5,)))
    assert site.world.deliveries.endpoints[0].disabled is None


def test_after_too_many_failures_nothing_more_is_sent_until_it_is_enabled_again() -> None:
    async def play() -> None:
        answers = [NOBODY]
        receiver = Receiver(lambda key, number: answers[0])
        site = Site(receiver)
        endpoint = site.add(retries=(5, 5, 5, 5), disable_after=3, concurrency=1)
        deliveries = site.tell(endpoint, "a", "b", "c")
        await site.advance(60)
        now = site.world.deliveries.endpoint("shop")
        assert now is not None
        assert now.disabled == "3 attempts in a row have failed"
        assert receiver.keys == ["a", "a", "a"]
        site.act(emit("d"))
        await site.advance(3600)
        assert receiver.keys == ["a", "a", "a"]
        assert site.world.deliveries.counts("shop").pending == 4
        answers[0] = OK  # type: ignore[list-item]
        site.world.deliveries.change(msgspec.structs.replace(now, disabled=None))
        site.dispatcher.wake(site.world)
        await site.settle()
        assert receiver.keys[3:] == ["a", "b", "c", "d"]
        assert {each.state for each in deliveries} == {"delivered"}
        assert site.world.deliveries.counts("shop").failing == 0

    run(play())


def test_what_cannot_be_sent_is_a_failed_attempt_and_nothing_worse() -> None:
    class Broken(Receiver):
        async def __call__(self, request: Any, timeout_s: float) -> Any:
            raise RuntimeError("out of order")

    async def play() -> tuple[Delivery, Delivery]:
        site = Site(Broken())
        (first,) = site.tell(site.add(retries=()), "a")
        (second,) = site.tell(site.add("other", scheme="standard-webhooks", secret="no base64!", retries=()), "b")
        await site.settle()
        return first, second

    first, second = run(play())
    assert first.attempts[0].headers != ()
    assert second.attempts[0].headers == ()
    assert (first.state, first.attempts[0].error) == ("failed", "it could not be sent: out of order")
    assert second.state == "failed"
    assert second.attempts[0].error is not None
    assert "no base64!" not in second.attempts[0].error


# -- concurrency ----------------------------------------------------------------------------------------------------------


def test_endpoints_do_not_wait_for_each_other_and_each_keeps_its_bound() -> None:
    async def play() -> None:
        receiver = Receiver()
        hung = asyncio.Event()

        async def hang(sent: Sent) -> None:
            if sent.key.startswith("slow"):
                await hung.wait()

        receiver.on_request = hang
        site = Site(receiver)
        slow = site.add("slow", concurrency=3, order="none")
        quick = site.add("quick", concurrency=2, order="none")
        site.tell(slow, *(f"slow-{n}" for n in range(10)))
        site.tell(quick, *(f"quick-{n}" for n in range(10)))
        for _ in range(100):
            await asyncio.sleep(0)
        assert sum(each.startswith("slow") for each in receiver.keys) == 3
        assert sum(each.startswith("quick") for each in receiver.keys) == 10
        assert receiver.most_at_once <= 5
        hung.set()
        await site.settle()
        assert len(receiver.sent) == 20

    run(play())


def test_no_more_than_so_many_are_under_way_in_a_world() -> None:
    async def play() -> Receiver:
        receiver = Receiver()
        receiver.turns = 5
        site = Site(receiver)
        for n in range(4):  # the first alone could fill all places
            site.tell(site.add(f"e-{n}", concurrency=64, order="none"), *(f"{n}-{k}" for k in range(100)))
        await site.settle()
        return receiver

    receiver = run(play())
    assert dispatching.MOST_AT_ONCE <= receiver.most_at_once <= dispatching.MOST_AT_ONCE + 4
    assert len(set(receiver.keys)) == len(receiver.sent) == 400


# -- what happens to a world meanwhile ------------------------------------------------------------------------------------


class Gate(Receiver):
    """Answers nobody until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()

        async def wait(_: Sent) -> None:
            await self.open.wait()

        self.on_request = wait


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_cancellation_loses_nothing_whether_an_attempt_had_begun_or_not() -> None:
    gate = Gate()
    site = Site(gate)
    made: list[Delivery] = []

    async def begin(count: int) -> None:
        gate.open = asyncio.Event()
        endpoint = site.world.deliveries.endpoint("shop") or site.add(order="none")
        made.extend(site.tell(endpoint, "a", "b", "c") if not made else [])
        site.dispatcher.wake(site.world)
        await turns(count)

    for count in (0, 1, 2, 5):
        run(begin(count))  # its loop ends, and cancels what is under way
        assert [(each.state, each.tried, each.due) for each in made] == [("pending", 0, START)] * 3, count
        assert site.world.deliveries.trying == frozenset()

    async def end() -> None:
        gate.open = asyncio.Event()
        gate.open.set()
        site.dispatcher.wake(site.world)
        await site.settle()

    run(end())
    assert [(each.state, each.tried) for each in made] == [("delivered", 1)] * 3
    assert sorted(gate.keys[-3:]) == ["a", "b", "c"]


def test_stopping_lets_what_is_under_way_end_and_says_how_much_is_owed() -> None:
    async def play(opens: bool) -> tuple[int, Gate, list[Delivery]]:
        gate = Gate()
        site = Site(gate)
        made = site.tell(site.add(), "a", "b")
        await turns()
        stopping = asyncio.ensure_future(site.dispatcher.stop(5.0 if opens else 0.01))
        await turns()
        if opens:
            gate.open.set()
        owed = await stopping
        site.dispatcher.wake(site.world)
        await turns()
        assert gate.is_closed
        return owed, gate, made

    owed, gate, made = run(play(True))
    assert (owed, gate.keys, [each.state for each in made]) == (1, ["a"], ["delivered", "pending"])
    owed, gate, made = run(play(False))
    assert (owed, gate.keys, [(each.state, each.tried) for each in made]) == (2, ["a"], [("pending", 0)] * 2)


@pytest.mark.parametrize("change", ["reset", "put", "delete", "remove"])
@pytest.mark.parametrize("started", [0, 10])
def test_nothing_is_sent_for_what_a_world_no_longer_owes(change: str, started: int) -> None:
    async def play() -> tuple[Gate, list[Delivery]]:
        gate = Gate()
        site = Site(gate)
        endpoint = site.add(concurrency=1)
        made = site.tell(endpoint, "a", "b") + site.tell(endpoint, "c", subject="globex")
        await turns(started)
        if change == "reset":
            site.world.reset(site.world.state)
        elif change == "put":
            site.world.put(site.world.state)
        elif change == "delete":
            site.world.is_gone = True
        else:
            site.world.deliveries.remove("shop")
        await turns()
        gate.open.set()
        await turns()
        await site.settle()
        await site.advance(3600)
        return gate, made

    gate, made = run(play())
    assert gate.keys == (["a"] if started else [])
    if change in ("put", "remove"):
        assert {each.state for each in made} == {"abandoned"}


@pytest.mark.parametrize("change", ["reset", "put", "delete"])
def test_an_advance_ends_when_its_world_is_another(change: str) -> None:
    async def play() -> None:
        gate = Gate()
        site = Site(gate)
        site.add()
        site.act(emit("a"), later("b", 50))
        before = site.world.state
        advancing = asyncio.ensure_future(site.advance(3600))
        await turns()
        if change == "reset":
            site.world.reset(before)
        elif change == "put":
            site.world.put(before)
        else:
            site.world.is_gone = True
        gate.open.set()
        await advancing
        assert site.now == START, "the clock of the other world has not been moved"

    run(play())


def test_the_records_of_a_new_world_know_nothing_of_attempts_in_the_old_one() -> None:
    async def play() -> None:
        gate = Gate()
        gate.answers = lambda key, number: Answered(410, {}, "")
        site = Site(gate)
        site.tell(site.add(scheme="svix", disable_after=1, concurrency=1), "old")
        await turns()
        site.world.reset(site.world.state)
        gate.on_request = None
        gate.answers = lambda key, number: OK
        endpoint = site.add(scheme="svix", disable_after=1, concurrency=1)
        old = gate.open
        (delivery,) = site.tell(endpoint, "new")
        async with asyncio.timeout(1):
            await site.settle()  # although the old attempt hangs
        assert delivery.state == "delivered"
        gate.answers = lambda key, number: Answered(410, {}, "")
        old.set()
        await turns()
        counts = site.world.deliveries.counts("shop")
        assert (counts.delivered, counts.failed, counts.pending, counts.failing) == (1, 0, 0, 0)
        assert site.world.deliveries.endpoints[0].disabled is None

    run(play())


def test_a_fork_sends_nothing_of_its_parent() -> None:
    async def play() -> Receiver:
        receiver = failing(1.0, 7)
        site = Site(receiver)
        site.add(retries=(5,))
        site.act(emit("a"))
        await site.settle()
        fork = World("fork", "toy", forked(site.world.state), 0)
        site.worlds.append(fork)
        await site.dispatcher.advance(fork, START + 3600 * SECOND, {})
        assert not fork.has_deliveries or len(fork.deliveries) == 0
        return receiver

    assert run(play()).keys == ["a"]


def test_a_rotated_secret_and_another_url_hold_from_the_next_attempt_on() -> None:
    async def play() -> Receiver:
        receiver = failing(1.0, 7)
        site = Site(receiver)
        endpoint = site.add(retries=(5,))
        (delivery,) = site.tell(endpoint, "a")
        await site.settle()
        new = msgspec.structs.replace(endpoint, secret="whsec_" + "A" * 32, url="http://127.0.0.1:9/new")
        site.world.deliveries.change(new)
        await site.advance(5)
        assert delivery.url == "http://127.0.0.1:9/new"
        return receiver

    first, second = (each.request for each in run(play()).sent)
    assert (first.url, second.url) == (URL, "http://127.0.0.1:9/new")
    scheme = scheme_named("standard-webhooks")
    for request, secret in ((first, SECRET), (second, "whsec_" + "A" * 32)):
        headers = {name.lower(): value for name, value in request.headers}
        assert isinstance(scheme.verify(Message(request.body), headers, [secret], 0, 0), Verified)
    assert dict(first.headers)["webhook-id"] == dict(second.headers)["webhook-id"]
    assert first.body == second.body


steps = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.sampled_from(["acme", "globex"]), st.integers(1, 4)),
        st.tuples(st.just("act"), st.sampled_from(["acme", "globex"]), st.integers(1, 4)),
        st.tuples(st.just("bill"), st.sampled_from(["acme", "globex"]), st.integers(1, 40)),
        st.tuples(st.just("advance"), st.just(""), st.integers(0, 60)),
        st.tuples(st.just("turns"), st.just(""), st.integers(1, 5)),
        st.tuples(
            st.sampled_from(["put", "reset", "remove", "disable", "enable", "stop the loop"]),
            st.just(""),
            st.just(0),
        ),
    ),
    max_size=25,
)


@given(st.integers(0, 999), st.sampled_from([0.0, 0.3, 0.9]), st.integers(0, 4), steps)
@settings(max_examples=120)
def test_whatever_happens_meanwhile_nothing_is_lost_or_sent_twice_at_once(
    seed: int, share: float, delay: int, plan: list[tuple[str, str, int]]
) -> None:
    receiver = failing(share, seed)
    receiver.turns = delay
    site = Site(receiver)
    under_way: set[tuple[int, str, str]] = set()
    serial = iter(range(10_000))

    async def watch(sent: Sent) -> None:
        generation = (id(site.world.deliveries), site.world.deliveries.generation)
        place = (hash(generation), dict(sent.request.headers)["webhook-id"], sent.request.url)
        assert place not in under_way, "the same is under way already"
        under_way.add(place)
        await turns(delay)
        under_way.discard(place)

    receiver.on_request = watch

    def step(what: str, subject: str, number: int, background: list[asyncio.Task[Any]]) -> None:
        deliveries = site.world.deliveries
        endpoint = deliveries.endpoint("shop") or site.add(retries=(5, 5), disable_after=None)
        keys = [f"k{next(serial)}" for _ in range(number)]
        if what == "tell":
            site.tell(endpoint, *keys, subject=subject)
        elif what == "act":
            site.act(*(emit(each, subject) for each in keys))
        elif what == "bill":
            site.act(later(keys[0], max(number, (site.now - START) // SECOND), subject, times=2))
        elif what == "advance":
            background.append(asyncio.ensure_future(site.advance(number)))
        elif what == "put":
            site.world.put(site.world.state)
        elif what == "reset":
            site.world.reset(site.world.state)
        elif what == "remove":
            deliveries.remove("shop")
        elif what in ("disable", "enable"):
            reason = "a test disabled it" if what == "disable" else None
            deliveries.change(msgspec.structs.replace(endpoint, disabled=reason))
            site.dispatcher.wake(site.world)

    async def play(part: list[tuple[str, str, int]]) -> None:
        background: list[asyncio.Task[Any]] = []
        for what, subject, number in part:
            step(what, subject, number, background)
            await turns(number if what == "turns" else 0)
        if len(plan) % 2:
            await asyncio.gather(*background)

    parts: list[list[tuple[str, str, int]]] = [[]]
    for each in plan:
        parts.append([]) if each[0] == "stop the loop" else parts[-1].append(each)
    for part in parts:
        run(play(part))
        assert site.world.deliveries.trying == frozenset(), "what the end of a loop cut off is put back"
        under_way.clear()

    async def end() -> None:
        endpoint = site.world.deliveries.endpoint("shop")
        if endpoint is not None:
            site.world.deliveries.change(msgspec.structs.replace(endpoint, disabled=None))
        await site.settle()
        await site.advance(10_000)

    run(end())
    deliveries = site.world.deliveries
    assert len(deliveries) == 0
    assert deliveries.trying == frozenset()
    for delivery in deliveries:
        assert delivery.state in ("delivered", "failed", "abandoned")
        assert delivery.state == "abandoned" or 1 <= len(delivery.attempts) <= 3
    for line in by_subject([each for each in deliveries if each.state != "abandoned"]).values():
        for earlier, other in pairwise(line):
            assert earlier.endpoint != other.endpoint or other.attempts[0].at >= earlier.attempts[-1].at


# -- an application that answers back -------------------------------------------------------------------------------------


def test_an_application_that_calls_back_sees_the_worlds_time_of_that_instant() -> None:
    async def play() -> list[tuple[str, int]]:
        receiver = Receiver()
        seen: list[tuple[str, int]] = []

        async def call_back(sent: Sent) -> None:
            seen.append((sent.key, (site.now - START) // SECOND))
            if sent.key == "a-0":
                site.act(emit("caused"))

        receiver.on_request = call_back
        site = Site(receiver)
        site.add()
        site.act(later("a", 10, times=3))
        fallen = await site.advance(100)
        assert [each.job for each in fallen].count(dispatching.JOB) == 4
        assert [each.at for each in fallen] == sorted(each.at for each in fallen)
        return seen

    assert run(play()) == [("a-2", 10), ("a-1", 20), ("a-0", 30), ("caused", 30)]


def test_an_application_that_moves_the_clock_before_it_answers_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "PATIENCE_S", 0.02)

    async def play() -> tuple[Receiver, int]:
        receiver = Receiver()

        async def advance(sent: Sent) -> None:
            if sent.key in ("a", "b-1"):
                await site.advance(1000)

        receiver.on_request = advance
        site = Site(receiver)
        site.add()
        site.act(emit("a"), later("b", 30, "globex", times=2), later("c", 1100, "initech"))
        await site.settle()
        await site.advance(100)
        return receiver, (site.now - START) // SECOND

    receiver, now = run(play())
    assert sorted(receiver.keys) == ["a", "b-0", "b-1", "c-0"]
    # Each of the three has moved it on from where it found it, but for what another had moved it to already.
    assert now == 1130


def test_two_who_move_the_clock_at_once_both_get_there_and_nothing_comes_twice() -> None:
    async def play() -> None:
        receiver = failing(0.5, 7)
        receiver.turns = 3
        site = Site(receiver)
        site.add(retries=(5, 5, 5, 5, 5))
        site.act(*(later(f"{n}", 10 + n, f"s-{n % 3}", times=3) for n in range(10)))
        both: list[list[Fallen]] = await asyncio.gather(site.advance(500), site.advance(300))
        assert site.now == START + 500 * SECOND
        deliveries = list(site.world.deliveries)
        assert len(deliveries) == 30
        assert {each.state for each in deliveries} <= {"delivered", "failed"}
        assert len(receiver.sent) == sum(each.tried for each in deliveries)
        jobs = [each.key + str(each.at) for timeline in both for each in timeline if each.job == "bill"]
        assert len(jobs) == len(set(jobs)) == 30

    run(play())


def test_too_much_at_once_is_refused_before_anything_has_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.engine.kernel.MOST_JOBS", 10)

    async def play() -> Receiver:
        receiver = Receiver()
        site = Site(receiver)
        site.add()
        site.act(later("a", 1, times=50))
        with pytest.raises(AgendaOverrun):
            await site.advance(100)
        assert site.now == START
        return receiver

    assert run(play()).sent == []


# -- many -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1_500])
def test_what_one_command_causes_is_told_as_a_whole(count: int) -> None:
    async def play() -> Receiver:
        receiver = Receiver()
        receiver.turns = 0
        site = Site(receiver)
        site.add()
        site.act(emit("first"))
        site.act(*(emit(f"{n}", f"s-{n % 7}") for n in range(count)))
        site.act(emit("last"))
        await site.settle()
        return receiver

    keys = run(play()).keys
    assert len(keys) == len(set(keys)) == count + 2
    for subject in range(7):
        line = [int(each) for each in keys if each.isdigit() and int(each) % 7 == subject]
        assert line == sorted(line)


def test_what_a_thousand_jobs_cause_at_one_instant_is_told_as_a_whole() -> None:
    async def play() -> Receiver:
        receiver = Receiver()
        receiver.turns = 0
        site = Site(receiver)
        site.add()
        site.act(*(later(f"{n}", 60, f"s-{n}") for n in range(2_500)))
        await site.advance(100)
        return receiver

    receiver = run(play())
    assert len(set(receiver.keys)) == len(receiver.sent) == 2_500
    assert {each.at for each in receiver.sent} == {START + 60 * SECOND}


COUNTED = {
    dispatching.__file__,
    owing.__file__,
    *map(str, Path(inspect.getfile(Deliveries)).parent.glob("*.py")),
}


def steps(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many instructions of the dispatcher and of the records `act` takes, and how many deliveries are compared, as when
    a list is searched for one. The same each time, however fast the machine is."""
    count = 0

    def inside(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "opcode"
        return inside

    def outside(frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = frame.f_code.co_filename in COUNTED
        return inside if frame.f_trace_opcodes else None

    def compared(one: object, other: object) -> bool:
        nonlocal count
        count += 10
        return one is other

    before = sys.gettrace()
    with monkeypatch.context() as patch:
        patch.setattr(Delivery, "__eq__", compared)
        sys.settrace(outside)
        try:
            act()
        finally:
            sys.settrace(before)
    return count


@pytest.mark.parametrize("subjects", [1, 40, 1_600], ids=lambda each: f"{each} lines")
def test_four_times_as_many_are_worked_off_in_four_times_as_many_steps(
    subjects: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(count: int) -> int:
        receiver = Receiver()
        receiver.turns = 0
        site = Site(receiver)
        endpoint = site.add(concurrency=64)
        happenings = [site.happening("x", f"s-{n % subjects}") for n in range(count)]

        async def work() -> None:
            site.dispatcher.owe(site.world, endpoint, happenings)
            site.dispatcher.wake(site.world)
            await site.settle()

        taken = steps(lambda: run(work()), monkeypatch)
        assert len(receiver.sent) == count
        return taken

    assert play(1_600) < 4.4 * play(400)


@pytest.mark.parametrize("subjects", [1, 4_000], ids=lambda each: f"{each} lines")
def test_four_times_as_many_are_abandoned_in_four_times_as_many_steps(
    subjects: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(count: int) -> int:
        site = Site(Receiver())
        records = site.world.deliveries
        endpoint = records.add(msgspec.structs.replace(_plain(), id="a"))
        for n in range(count):
            records.owe(endpoint, site.happening("x", f"s-{n % subjects}"), START)
        taken = steps(lambda: site.world.put(site.world.state), monkeypatch)
        assert len(records) == 0
        assert records.counts("a").abandoned == count
        assert records.next_due() is None
        return taken

    assert play(8_000) < 4.4 * play(2_000)


def _plain() -> Any:
    return Site(Receiver()).world.deliveries.add(
        msgspec.convert(
            {"id": "x", "url": URL, "scheme": "svix", "secret": SECRET, "retries": ()}, dispatching.Endpoint
        )
    )


# -- what is sent ---------------------------------------------------------------------------------------------------------


def test_the_same_world_tells_the_same_in_the_same_bytes() -> None:
    async def play(seed: int) -> list[tuple[Any, ...]]:
        receiver = failing(0.4, 3)
        site = Site(receiver, seed)
        site.add(retries=(5,), misbehave=("tamper", "duplicate", "reorder", "drop"), probability=0.5)
        site.act(*(later(f"{n}", 10 + 7 * n, f"s-{n % 3}") for n in range(12)))
        await site.advance(500)
        return [(each.number, each.request) for each in receiver.sent] + [
            (each.id, each.state, each.tried) for each in site.world.deliveries
        ]

    assert run(play(7)) == run(play(7))
    assert run(play(7)) != run(play(8))


@pytest.mark.parametrize("whose", ["wall", "world"])
def test_a_signature_carries_the_time_that_was_asked_for_and_a_new_one_with_each_attempt(whose: str) -> None:
    async def play() -> Receiver:
        receiver = failing(1.0, 7)
        site = Site(receiver)
        site.tell(site.add(retries=(5,), signature_time=whose), "a")
        await site.settle()
        site.wall += 9 * SECOND
        await site.advance(5)
        return receiver

    receiver = run(play())
    times = [int(dict(each.request.headers)["webhook-timestamp"]) for each in receiver.sent]
    assert times == ([START // SECOND, START // SECOND + 5] if whose == "world" else [1_790_000_000, 1_790_000_009])
    assert len({json.dumps(dict(each.request.headers)["webhook-id"]) for each in receiver.sent}) == 1
    assert len({dict(each.request.headers)["webhook-signature"] for each in receiver.sent}) == 2


def test_every_scheme_has_a_manner_or_that_of_svix() -> None:
    assert manner_of("unheard-of") == manner_of("generic")
    assert manner_of("unheard-of").retries == MANNERS["svix"].retries
    for manner in MANNERS.values():
        assert all(0 <= each <= 604_800 for each in manner.retries)
