"""The agenda against the plainest model there is: a dictionary that is sorted when asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.engine.agenda import Agenda, Item, agenda_of
from mock_server.engine.decisions import Job

steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 8), st.integers(0, 20)),
        st.tuples(st.just("drop"), st.integers(0, 8), st.just(0)),
        st.tuples(st.just("take"), st.just(0), st.just(0)),
    ),
    max_size=200,
)


@given(steps)
def test_it_behaves_like_a_sorted_dictionary(steps: list[tuple[str, int, int]]) -> None:
    agenda, model, number = Agenda(), dict[str, tuple[int, int]](), 0
    for kind, key, at in steps:
        name = str(key)
        if kind == "put":
            agenda, model[name] = agenda.put(name, at, Job("toy", name)), (at, number)
            number += 1
        elif kind == "drop":
            agenda = agenda.drop(name)
            model.pop(name, None)
        elif model:
            item, agenda = agenda.take()
            first = min(model, key=lambda each: model[each])
            assert item.key == first
            assert (item.at, item.number) == model.pop(first)
        first_item = agenda.first()
        assert (first_item.key if first_item else None) == (min(model, key=lambda e: model[e]) if model else None)
        assert [item.key for item in agenda] == sorted(model, key=lambda each: model[each])
        assert len(agenda) == len(model)


@given(steps)
def test_older_versions_stay_as_they_were(steps: list[tuple[str, int, int]]) -> None:
    agenda = Agenda()
    history: list[tuple[Agenda, list[Item]]] = []
    for kind, key, at in steps:
        history.append((agenda, list(agenda)))
        if kind == "put":
            agenda = agenda.put(str(key), at, Job("toy", "x"))
        elif kind == "drop":
            agenda = agenda.drop(str(key))
        elif len(agenda):
            agenda = agenda.take()[1]
    for version, items in history:
        assert list(version) == items


def test_rescheduling_for_ever_stays_small() -> None:
    agenda = Agenda()
    for at in range(10_000):
        agenda = agenda.put("always", at, Job("toy", "x"))
    assert len(agenda) == 1
    assert agenda.size < 100


@given(steps)
def test_an_agenda_read_back_goes_on_alike(steps: list[tuple[str, int, int]]) -> None:
    agenda = Agenda()
    for kind, key, at in steps:
        if kind == "put":
            agenda = agenda.put(str(key), at, Job("toy", "x"))
    again = agenda_of(list(agenda), agenda.next_number)
    assert again == agenda
    while len(agenda):
        (item, agenda), (item_again, again) = agenda.take(), again.take()
        assert item == item_again
