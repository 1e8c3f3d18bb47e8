"""What is remembered is found until it expires, and never grows without bound; so does the outbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.engine import idempotency, outbox
from mock_server.engine.idempotency import Idempotency, Record
from mock_server.engine.outbox import Outbox

steps = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(1, 30), st.integers(0, 5)), max_size=80)


@given(steps)
def test_it_behaves_like_a_dictionary_with_expiry(steps: list[tuple[int, int, int, int]]) -> None:
    memory, model, now = Idempotency(), dict[tuple[str, str], Record](), 0
    for scope, key, lifetime, wait in steps:
        record = Record(f"{scope}{key}", now + lifetime)
        memory = memory.remember(str(scope), str(key), record, now)
        model[str(scope), str(key)] = record
        now += wait
        for (s, k), known in model.items():
            assert memory.recall(s, k, now) == (known if known.expires_at > now else None)
    assert len(memory) == sum(len(kept) for kept in memory.records.values())


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MOST_RECORDS", 10)
    memory = Idempotency()
    for n in range(25):
        memory = memory.remember("scope", str(n), Record("", 1_000), 0)
    assert len(memory) == 10
    assert memory.recall("scope", "14", 0) is None
    assert memory.recall("scope", "15", 0) is not None


def test_the_outbox_keeps_the_newest_and_counts_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_HAPPENINGS", 10)
    box = Outbox()
    for n in range(25):
        box = box.put(n, "toy", "topic", "subject", {}).trimmed()
    assert [happening.number for happening in box.happenings] == list(range(16, 26))
    assert box.dropped == 15
