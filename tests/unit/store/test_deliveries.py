"""What is owed, held against a list that is searched from its beginning every time."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mock_server.engine.outbox import Happening
from mock_server.store import deliveries as store
from mock_server.store import endpoints as records
from mock_server.store.deliveries import Attempt, Deliveries, Delivery, Endpoint, EndpointExists, TooManyEndpoints
from mock_server.store.endpoints import with_attempt

MOST_PENDING, MOST_KEPT, MOST_ENDPOINTS, MOST_EMISSIONS, MOST_ATTEMPTS, ROOM = 10, 6, 3, 2, 3, 2
SUBJECTS = ("acme", "globex", "")
NAMES = ("", "a", "b", "c")


def happening(number: int, subject: str = "acme", at: int = 0, topic: str = "invoice.paid") -> Happening:
    return Happening(number, at, "openapp", topic, subject, {})


def endpoint(name: str = "a", **more: object) -> Endpoint:
    given = {"url": "http://127.0.0.1:1/x", "scheme": "stripe", "secret": "s", "retries": (1, 2), **more}
    return msgspec.convert({"id": name, **given}, Endpoint)


def attempt(delivery: Delivery, status: int | None = None) -> Attempt:
    return Attempt(delivery.tried, 0, 0, status, None if status else "refused", 0.0)


@dataclass
class Naive:
    """One delivery as the naive model knows it. `place` is the endpoint; one of the same name later is another."""

    delivery: Delivery
    place: int
    line: object
    due: int | None
    state: str = "pending"
    tried: int = 0
    is_tried: bool = False


def number(one: Naive) -> int:
    return one.delivery.number


@dataclass
class Place:
    name: str
    is_passing: bool
    concurrency: int
    disable_after: int | None
    is_enabled: bool = True
    is_there: bool = True
    failing: int = 0
    ended: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("delivered", "failed", "abandoned", "dropped"), 0)
    )


class AsOwed(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for name, most in (
            ("MOST_PENDING", MOST_PENDING),
            ("MOST_KEPT", MOST_KEPT),
            ("MOST_ENDPOINTS", MOST_ENDPOINTS),
            ("MOST_EMISSIONS", MOST_EMISSIONS),
            ("ROOM_FOR_EACH", ROOM),
        ):
            self.patch.setattr(store, name, most)
        self.patch.setattr(records, "MOST_ATTEMPTS_KEPT", MOST_ATTEMPTS)
        self.real = Deliveries()
        self.now = 0
        self.places: list[Place] = []
        # In the order in which they stand in line.
        self.queue: list[Naive] = []
        self.gone: list[Naive] = []
        self.ends = 0

    def teardown(self) -> None:
        self.patch.undo()

    # -- the naive model ----------------------------------------------------------------------------------------------

    def at(self, name: str) -> int | None:
        return next((n for n, each in enumerate(self.places) if each.is_there and each.name == name), None)

    def owed_at(self, place: int) -> list[Naive]:
        return [each for each in self.queue if each.place == place]

    def under_way(self, place: int) -> int:
        return sum(each.is_tried and each.place == place for each in [*self.queue, *self.gone])

    def is_first(self, one: Naive) -> bool:
        return next(each for each in self.queue if (each.place, each.line) == (one.place, one.line)) is one

    def candidates(self) -> list[Naive]:
        return [
            each
            for each in self.queue
            if each.due is not None
            and each.due <= self.now
            and self.places[each.place].is_enabled
            and self.under_way(each.place) < self.places[each.place].concurrency
            and self.is_first(each)
        ]

    def end(self, one: Naive, state: str) -> None:
        self.queue.remove(one)
        self.gone.append(one)
        one.state, one.due = state, None
        self.places[one.place].ended[state] += 1

    def sweep(self, place: int) -> None:
        if self.places[place].is_passing and not self.owed_at(place):
            self.places[place].is_there = False

    def judge(self, place: Place, *, delivered: bool, gone: bool) -> None:
        place.failing = 0 if delivered else place.failing + 1
        too_many = place.disable_after is not None and place.failing >= place.disable_after
        if not delivered and (too_many or gone) and not place.is_passing:
            place.is_enabled = False

    # -- steps --------------------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(NAMES),
        is_passing=st.booleans(),
        order=st.sampled_from(("subject", "none")),
        concurrency=st.integers(1, 3),
        disable_after=st.sampled_from((None, 1, 3)),
    )
    def add(self, name: str, is_passing: bool, order: str, concurrency: int, disable_after: int | None) -> None:
        name = "" if is_passing else name
        asked = endpoint(name, is_passing=is_passing, order=order, concurrency=concurrency, disable_after=disable_after)
        alike = sum(each.is_there and each.is_passing == is_passing for each in self.places)
        try:
            made = self.real.add(asked)
        except EndpointExists:
            assert name
            assert self.at(name) is not None
        except TooManyEndpoints:
            assert alike == (MOST_EMISSIONS if is_passing else MOST_ENDPOINTS)
        else:
            assert alike < (MOST_EMISSIONS if is_passing else MOST_ENDPOINTS)
            assert self.at(made.id) is None
            self.places.append(Place(made.id, is_passing, concurrency, disable_after))

    @precondition(lambda self: self.real.endpoints)
    @rule(
        data=st.data(),
        subject=st.sampled_from(SUBJECTS),
        late=st.integers(0, 3),
        alone=st.booleans(),
        drop=st.booleans(),
    )
    def owe(self, data: st.DataObject, subject: str, late: int, alone: bool, drop: bool) -> None:
        to = data.draw(st.sampled_from(self.real.endpoints))
        place = self.at(to.id)
        assert place is not None
        is_full = len(self.queue) >= MOST_PENDING and len(self.owed_at(place)) >= ROOM
        drop = drop and late == 0
        made = self.real.owe(to, happening(1, subject), self.now + late, alone=alone, dropped=drop)
        own = alone or to.order == "none"
        one = Naive(made, place, made.id if own else ("of", subject), self.now + late)
        self.queue.append(one)
        if drop or is_full:
            self.end(one, "dropped")
        self.real.sweep(to.id)
        self.sweep(place)

    @rule(step=st.integers(0, 3))
    def time(self, step: int) -> None:
        self.now += step

    @rule()
    def ready(self) -> None:
        due = self.candidates()
        found = self.real.ready(self.now)
        if not due:
            assert found is None
            return
        assert found is not None
        best = min(due, key=lambda each: (self.under_way(each.place), each.due, each.delivery.number))
        assert found[1] is best.delivery, (found[1].id, best.delivery.id)
        assert found[0].id == self.places[best.place].name
        assert not best.is_tried
        best.is_tried, best.due, best.tried = True, None, best.tried + 1

    def tried(self) -> list[Naive]:
        return [each for each in [*self.queue, *self.gone] if each.is_tried]

    @precondition(lambda self: self.tried())
    @rule(data=st.data(), what=st.sampled_from(("ok", "again", "at once", "over", "gone")))
    def close(self, data: st.DataObject, what: str) -> None:
        one = data.draw(st.sampled_from(self.tried()))
        again = {"again": self.now + 2, "at once": self.now, "gone": self.now + 1}.get(what)
        delivered = what == "ok"
        self.real.close(one.delivery, attempt(one.delivery), again, delivered=delivered, gone=what == "gone")
        one.is_tried = False
        self.judge(self.places[one.place], delivered=delivered, gone=what == "gone")
        assert len(one.delivery.attempts) == min(one.tried, MOST_ATTEMPTS)
        if one.state != "pending":
            return
        one.due = again
        if again is None:
            self.end(one, "delivered" if delivered else "failed")
            self.sweep(one.place)

    @precondition(lambda self: self.tried())
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.tried()))
        self.real.put_back(one.delivery, self.now)
        one.is_tried, one.tried = False, one.tried - 1
        if one.state == "pending":
            one.due = self.now
        # Once more does nothing.
        self.real.put_back(one.delivery, self.now + 7)

    @precondition(lambda self: self.real.endpoints)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([each.id for each in self.real.endpoints]))
        place = self.at(name)
        assert place is not None
        assert self.real.remove(name)
        assert not self.real.remove(name)
        for each in sorted(self.owed_at(place), key=number):
            self.end(each, "abandoned")
        self.places[place].is_there = False

    @rule()
    def abandon(self) -> None:
        generation = self.real.generation
        self.real.abandon()
        assert self.real.generation > generation
        for each in sorted(self.queue, key=number):
            self.end(each, "abandoned")
        for n in range(len(self.places)):
            self.sweep(n)

    @precondition(lambda self: len(self.queue) > 1)
    @rule(data=st.data())
    def put_behind(self, data: st.DataObject) -> None:
        one, other = (data.draw(st.sampled_from(self.queue)) for _ in range(2))
        if one is other or one.place != other.place:
            return
        self.real.put_behind(one.delivery, other.delivery, self.now)
        if one.due is not None and not one.tried:
            self.queue.remove(one)
            self.queue.append(one)
            one.line, one.due = other.line, self.now

    @precondition(lambda self: self.real.endpoints)
    @rule(data=st.data(), enabled=st.booleans(), concurrency=st.integers(1, 3))
    def change(self, data: st.DataObject, enabled: bool, concurrency: int) -> None:
        before = data.draw(st.sampled_from(self.real.endpoints))
        found = self.at(before.id)
        assert found is not None
        place = self.places[found]
        disabled = None if enabled else "somebody disabled it"
        self.real.change(msgspec.structs.replace(before, disabled=disabled, concurrency=concurrency))
        if enabled and not place.is_enabled:
            place.failing = 0
        place.is_enabled, place.concurrency = enabled, concurrency

    # -- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        assert len(self.real) == len(self.queue) <= MOST_PENDING + ROOM * (MOST_ENDPOINTS + MOST_EMISSIONS)
        listed = list(self.real)
        assert [each.number for each in listed] == sorted({each.number for each in listed}, reverse=True)
        remembered = [each.delivery for each in self.gone][-MOST_KEPT:]
        assert {each.id for each in listed} == {each.delivery.id for each in self.queue} | {
            each.id for each in remembered
        }
        for one in [*self.queue, *self.gone]:
            told = (one.delivery.state, one.delivery.due, one.delivery.tried)
            assert told == (one.state, one.due, one.tried), one
            assert (self.real.get(one.delivery.id) is one.delivery) == (one.delivery in listed)
            assert self.real.owes(one.delivery) == (one in self.queue)
        assert self.real.trying == {(each.delivery.id, each.tried) for each in self.tried()}

    @invariant()
    def each_endpoint_counts_right(self) -> None:
        there = {each.name: n for n, each in enumerate(self.places) if each.is_there}
        assert [each.id for each in self.real.endpoints] == list(there)
        for name, n in there.items():
            counts, place = self.real.counts(name), self.places[n]
            assert counts.pending == len(self.owed_at(n))
            assert counts.failing == place.failing
            assert (counts.delivered, counts.failed, counts.abandoned, counts.dropped) == tuple(
                place.ended[each] for each in ("delivered", "failed", "abandoned", "dropped")
            )
            told = self.real.endpoint(name)
            assert told is not None
            assert (told.disabled is None) == place.is_enabled

    @invariant()
    def what_is_next_is_right(self) -> None:
        heads = [
            each
            for each in self.queue
            if each.due is not None and self.is_first(each) and self.places[each.place].is_enabled
        ]
        assert self.real.next_due() == min((each.due for each in heads if each.due is not None), default=None)
        ahead = sorted(heads, key=lambda each: (each.due, each.delivery.number))
        assert self.real.upcoming() == [each.delivery for each in ahead]


TestAsOwed = AsOwed.TestCase
TestAsOwed.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_an_attempt_that_outlives_its_endpoint_says_nothing_of_the_next_one_of_that_name() -> None:
    deliveries = Deliveries()
    old = deliveries.add(endpoint("a", concurrency=1, disable_after=1))
    deliveries.owe(old, happening(1), 0)
    ready = deliveries.ready(0)
    assert ready is not None
    deliveries.remove("a")
    new = deliveries.add(endpoint("a", concurrency=1, disable_after=1))
    deliveries.owe(new, happening(2), 0)
    deliveries.owe(new, happening(3, "globex"), 0)
    assert deliveries.ready(0) is not None
    assert deliveries.ready(0) is None
    deliveries.close(ready[1], attempt(ready[1]), 5, delivered=False, gone=True)
    assert ready[1].state == "abandoned"
    assert deliveries.ready(0) is None, "the one place that there is, is taken"
    assert deliveries.counts("a").failing == 0
    assert deliveries.endpoint("a") == new


def test_an_emission_is_dropped_as_a_whole_when_too_much_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_PENDING", 2)
    monkeypatch.setattr(store, "ROOM_FOR_EACH", 0)
    deliveries = Deliveries()
    usual = deliveries.add(endpoint("a"))
    for n in range(2):
        deliveries.owe(usual, happening(n), 0)
    passing = deliveries.add(endpoint("", is_passing=True))
    made = [deliveries.owe(passing, happening(n), 0) for n in range(3)]
    assert {each.state for each in made} == {"dropped"}
    deliveries.sweep(passing.id)
    assert [each.id for each in deliveries.endpoints] == ["a"]


@pytest.mark.parametrize(
    ("events", "topic", "wanted"),
    [
        ((), "anything", True),
        (("invoice.*",), "invoice.paid", True),
        (("invoice.*",), "invoices.paid", False),
        (("invoice.paid",), "invoice.paid", True),
        (("invoice.paid",), "invoice.paid.late", False),
        (("*",), "quota.warning", True),
        (("subscription.*", "invoice.failed"), "invoice.failed", True),
        (("subscription.*", "invoice.failed"), "invoice.paid", False),
    ],
)
def test_an_endpoint_wants_what_its_filter_names(events: tuple[str, ...], topic: str, wanted: bool) -> None:
    assert endpoint(events=events).wants(topic) is wanted


def test_an_endpoint_that_is_disabled_takes_no_room_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_PENDING", 10)
    monkeypatch.setattr(store, "ROOM_FOR_EACH", 3)
    deliveries = Deliveries()
    dead = deliveries.add(msgspec.structs.replace(endpoint("dead"), disabled="it failed too often"))
    alive = deliveries.add(endpoint("alive"))
    owed = [deliveries.owe(each, happening(n), 0) for n in range(12) for each in (dead, alive)[: 1 + n // 9]]
    assert {each.state for each in owed if each.endpoint == "alive"} == {"pending"}


def test_an_endpoint_that_hangs_keeps_nobody_waiting() -> None:
    deliveries = Deliveries()
    hanging, other = deliveries.add(endpoint("a", concurrency=64, order="none")), deliveries.add(endpoint("b"))
    for n in range(100):
        deliveries.owe(hanging, happening(n), 0)
    while (ready := deliveries.ready(0)) is not None:
        assert ready[0] == hanging
    late = deliveries.owe(other, happening(200), 5)
    assert deliveries.ready(9, only_idle=True) == (other, late)


def test_of_older_attempts_only_how_they_ended_is_kept() -> None:
    kept: tuple[Attempt, ...] = ()
    for n in range(1, 40):
        kept = with_attempt(kept, Attempt(n, 0, 0, 500, None, 0.0, (("X-Sign", "1"),), "no"))
    assert [each.number for each in kept] == list(range(15, 40))
    assert [bool(each.headers) and bool(each.answer) for each in kept] == [False] * 22 + [True] * 3
