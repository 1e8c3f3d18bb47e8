"""The search for an order, against toy models and against trying every order there is."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.races.interleaving import letter, picture
from contracts.races.linearizability import Span, search

Call = tuple[str, int]


class Toy:
    """What is done one after the other to one number; `answers` are those that have come."""

    def __init__(self, calls: Sequence[Call], answers: Sequence[int], last: int | None = None) -> None:
        self.calls, self.answers, self.last = calls, answers, last
        self.open = 0

    def apply(self, state: int, call: Call) -> tuple[int, int]:
        raise NotImplementedError

    def first(self) -> int:
        self.open += 1
        return 0

    def step(self, state: int, call: int) -> int | str:
        after, answer = self.apply(state, self.calls[call])
        if answer != self.answers[call]:
            return f"{answer}, not {self.answers[call]}"
        self.open += 1
        return after

    def end(self, state: int) -> str | None:
        return None if self.last in (None, state) else f"{state} at the end, not {self.last}"

    def key(self, state: int) -> Hashable:
        return state

    def leave(self, state: int) -> None:
        self.open -= 1


class Register(Toy):
    """`write` answers 0, `read` what was written last, `swap` what was there before."""

    def apply(self, state: int, call: Call) -> tuple[int, int]:
        kind, value = call
        return {"read": (state, state), "write": (value, 0), "swap": (value, state)}[kind]


class Counter(Toy):
    """`take` answers 1 while fewer than three are taken, else 0; `give` takes one back; `read` counts."""

    def apply(self, state: int, call: Call) -> tuple[int, int]:
        kind, _ = call
        if kind == "take":
            return (state + 1, 1) if state < 3 else (state, 0)
        return (max(0, state - 1), 0) if kind == "give" else (state, state)


def calls_of(toy: type[Toy]) -> st.SearchStrategy[list[Call]]:
    kinds = ["read", "write", "swap"] if toy is Register else ["take", "take", "give", "read"]
    return st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 2)), min_size=1, max_size=6)


@st.composite
def histories(draw: st.DrawFn) -> tuple[type[Toy], list[Call], list[int], list[Span], int]:
    """Calls that were done in this order, each at some moment between its beginning and its end."""
    toy = draw(st.sampled_from([Register, Counter]))
    calls = draw(calls_of(toy))
    state, answers, spans = 0, [], []
    for n, call in enumerate(calls):
        state, answer = toy([], []).apply(state, call)
        answers.append(answer)
        moment = 10 * n
        spans.append(Span(moment - draw(st.integers(0, 40)), moment + draw(st.integers(0, 40))))
    order = draw(st.permutations(range(len(calls))))
    return toy, [calls[n] for n in order], [answers[n] for n in order], [spans[n] for n in order], state


def by_trying_all(toy: Toy, spans: Sequence[Span]) -> bool:
    for order in permutations(range(len(spans))):
        if any(spans[b].is_before(spans[a]) for n, a in enumerate(order) for b in order[n + 1 :]):
            continue
        state: int | str = 0
        for call in order:
            state = toy.step(state, call)
            if isinstance(state, str):
                break
        else:
            assert isinstance(state, int)
            if toy.end(state) is None:
                return True
    return False


def is_same(toy: Toy):
    return lambda a, b: (toy.calls[a], toy.answers[a]) == (toy.calls[b], toy.answers[b])


@given(histories())
def test_what_was_really_done_in_some_order_is_accepted(history: tuple) -> None:
    kind, calls, answers, spans, last = history
    toy = kind(calls, answers, last)
    verdict = search(spans, toy, is_same(toy))
    assert verdict.order is not None
    assert sorted(verdict.order) == list(range(len(calls)))
    assert toy.open == 0


@settings(max_examples=250)
@given(histories(), st.data())
def test_with_an_answer_changed_it_says_what_trying_every_order_says(history: tuple, data: st.DataObject) -> None:
    kind, calls, answers, spans, last = history
    wrong = data.draw(st.integers(0, len(calls) - 1))
    answers = [*answers[:wrong], answers[wrong] + data.draw(st.sampled_from([-1, 1])), *answers[wrong + 1 :]]
    toy = kind(calls, answers, data.draw(st.sampled_from([None, last, last + 1])))
    expected = by_trying_all(toy, spans)
    toy.open = 0
    verdict = search(spans, toy, is_same(toy))
    assert not verdict.is_cut
    assert (verdict.order is not None) == expected
    assert toy.open == 0
    if verdict.order is None:
        assert verdict.refuted


@given(histories())
def test_an_order_that_is_given_keeps_to_the_time(history: tuple) -> None:
    kind, calls, answers, spans, last = history
    order = search(spans, kind(calls, answers, last)).order
    assert order is not None
    assert not any(spans[b].is_before(spans[a]) for n, a in enumerate(order) for b in order[n + 1 :])


def test_a_stale_read_is_refused_only_after_the_write_was_answered() -> None:
    calls: list[Call] = [("write", 2), ("read", 0)]
    assert search([Span(0, 10), Span(11, 20)], Register(calls, [0, 0])).order is None
    assert search([Span(0, 10), Span(10, 20)], Register(calls, [0, 0])).order == (1, 0)


def test_one_more_than_fits_in_is_refused_with_what_was_tried() -> None:
    together = [Span(0, 10 + n) for n in range(4)]
    toy = Counter([("take", 0)] * 4, [1] * 4)
    verdict = search(together, toy, is_same(toy))
    assert verdict.order is None
    assert not verdict.is_cut
    assert verdict.steps == 4, "equal calls are tried in one order only"
    assert verdict.refuted[0].order == (0, 1, 2)
    assert verdict.refuted[0].why == "0, not 1"


def test_a_search_that_was_cut_refuses_nothing() -> None:
    together = [Span(0, 100)] * 12
    toy = Register([("write", n) for n in range(12)], [0] * 12, last=99)
    verdict = search(together, toy, most_steps=50)
    assert (verdict.order, verdict.is_cut) == (None, True)
    assert verdict.steps == 50
    began = time.monotonic()
    assert search([Span(0, 100)] * 16, _Slow(16), most_seconds=0.1).is_cut
    assert time.monotonic() - began < 1


class _Slow(Register):
    """No two states are the same, so nothing can be left out."""

    def __init__(self, many: int) -> None:
        super().__init__([("write", n) for n in range(many)], [0] * many, last=99)
        self.random = Random(1)

    def key(self, state: int) -> Hashable:
        return self.random.random()


def test_states_that_were_tried_are_not_tried_again() -> None:
    """Ten writes have 3.6 million orders, and lead to 3 x 1,024 states."""
    toy = Register([("write", n % 3) for n in range(10)], [0] * 10, last=99)
    verdict = search([Span(0, 100)] * 10, toy, most_steps=100_000, most_seconds=20)
    assert (verdict.order, verdict.is_cut) == (None, False)
    assert verdict.steps < 20_000


def test_the_picture_shows_who_was_under_way_when() -> None:
    text = picture(
        [
            ('POST /zones {"name":"a"}', Span(1_000_000, 3_000_000), "200"),
            ("GET /zones", Span(2_000_000, 5_000_000), "429 quota_exceeded"),
        ]
    )
    first, second, time_line = text.splitlines()
    assert first.startswith('A  POST /zones {"name":"a"}  ├')
    assert first.endswith("200")
    assert second.startswith("B  GET /zones  ")
    assert second.endswith("┤  429 quota_exceeded")
    assert first.index("├") < second.index("├") < first.index("┤") < second.index("┤")
    assert time_line.strip() == "0 ms" + "4.0 ms".rjust(32)
    assert letter(15) == "P"


@pytest.mark.parametrize("spans", [[Span(5, 5)], [Span(0, 1), Span(10**9, 10**9 + 1)], [Span(0, 10**12)] * 3])
def test_every_picture_has_a_beginning_and_an_end_for_each_call(spans: list[Span]) -> None:
    lines = picture([("x" * 200, span, "200") for span in spans]).splitlines()
    assert len(lines) == len(spans) + 1
    for line in lines[:-1]:
        assert line.count("├") == line.count("┤") == 1
        assert len(line) < 130
