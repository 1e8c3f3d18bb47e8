"""Known findings: written and read strictly, excused until their day, new again after it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import baseline
from contracts.baseline import Entry, Split
from contracts.target import TargetError
from tests.contracts.reported import TODAY, entry, finding, report, result

OTHER = finding(law="model.tiers", operation="create_device", place="/limit")
TEXTS = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip())).map(str.strip)
ENTRIES = st.builds(
    Entry,
    fingerprint=st.text("0123456789abcdef", min_size=16, max_size=16),
    law=TEXTS,
    owner=TEXTS,
    reason=TEXTS,
    expires=st.dates(date(2000, 1, 1), date(2999, 12, 31)),
    operation=st.none() | TEXTS,
)
GOOD = baseline.text_of([entry(finding())])


@given(st.lists(ENTRIES, max_size=4, unique_by=lambda each: each.fingerprint))
@settings(max_examples=60)
def test_what_is_written_is_read_again(entries: list[Entry]) -> None:
    assert baseline.parsed(baseline.text_of(entries)) == tuple(entries)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("format = 1\n[[finding]\n", "line 2"),
        ("format = 2\n", "line 1, format: write format = 1"),
        ("", "format: write format = 1"),
        (GOOD.replace("owner", "ownr"), "line 9, finding[0].ownr: there is no such setting; did you mean 'owner'?"),
        (GOOD.replace('reason = "BILL-1"', ""), "finding[0].reason: this is missing"),
        (GOOD.replace('"BILL-1"', '" "'), "line 10, finding[0].reason: this must not be empty"),
        (GOOD.replace("2026-06-30", '"2026-06-30"'), "line 11, finding[0].expires: this must be a date without quotes"),
        (GOOD.replace("2026-06-30", "2026-06-30T10:00:00Z"), "finding[0].expires: this must be a date without quotes"),
        (GOOD.replace('law = "model.capacity"', "law = 5"), "line 7, finding[0].law: this must be a text, not a whole"),
        (GOOD.replace(finding().fingerprint, "xyz"), "line 6, finding[0].fingerprint: this must be 16 hexadecimal"),
        (
            GOOD + GOOD.partition("format = 1\n")[2],
            "finding[1].fingerprint: there is another entry of this fingerprint",
        ),
    ],
)
def test_a_complaint_names_line_and_member(text: str, complaint: str) -> None:
    with pytest.raises(TargetError) as raised:
        baseline.parsed(text, "known.toml")
    assert "known.toml" in str(raised.value)
    assert complaint in str(raised.value)


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="there is no such file"):
        baseline.load(tmp_path / "known.toml")


class TestSplit:
    def test_a_known_finding_is_known_to_the_end_of_its_last_day(self) -> None:
        each = finding()
        last = entry(each, TODAY.isoformat())
        assert baseline.split(report(each), [last], TODAY) == Split((), ((each, last),))
        assert baseline.split(report(each), [last], date(2026, 3, 2)) == Split((), (), ((each, last),))

    def test_what_no_entry_knows_is_new(self) -> None:
        each = finding()
        assert baseline.split(report(each, OTHER), [entry(each)], TODAY).new == (OTHER,)

    def test_what_no_longer_shows_is_fixed(self) -> None:
        gone = entry(OTHER, operation=None)
        assert baseline.split(report(finding()), [gone], TODAY).fixed == (gone,)

    @pytest.mark.parametrize(
        "law",
        [
            result("model.tiers", "not verified", "needs clock"),
            result("model.tiers", "failed", "the time is spent"),
            result("model.others"),
        ],
        ids=lambda law: f"{law.law} {law.state} {law.reason}",
    )
    def test_a_law_that_was_not_tried_to_the_end_fixes_nothing(self, law: object) -> None:
        parts = baseline.split(report(laws=(law,)), [entry(OTHER)], TODAY)  # type: ignore[arg-type]
        assert (parts.fixed, parts.not_tried) == ((), (entry(OTHER),))

    def test_neither_does_one_that_was_tried_with_other_operations(self) -> None:
        there, elsewhere = entry(OTHER, operation="create_zone"), entry(OTHER, operation="delete_zone")
        assert baseline.split(report(), [there], TODAY).fixed == (there,)
        assert baseline.split(report(), [elsewhere], TODAY).not_tried == (elsewhere,)

    def test_one_fault_has_one_fingerprint_whichever_law_runs_into_it(self) -> None:
        assert finding().fingerprint == finding(law="model.walks", title="?", seed=9, came="status 200").fingerprint
        assert finding(place="/items/0/x").fingerprint == finding(place="/items/7/x").fingerprint
        assert finding().fingerprint != OTHER.fingerprint


class TestRenewed:
    HOW = {"owner": "bob", "reason": "seen", "expires": date(2027, 1, 1), "today": TODAY}

    def test_what_is_new_is_written_down_and_what_is_known_stays(self) -> None:
        first, second = finding(), finding(operation="restore_device")
        made = baseline.renewed(report(first, second), [entry(first)], **self.HOW)  # type: ignore[arg-type]
        assert set(made) == {entry(first), entry(second, "2027-01-01", owner="bob", reason="seen")}
        assert not baseline.split(report(first, second), made, TODAY).new

    def test_what_has_expired_gets_another_day_and_keeps_its_reason(self) -> None:
        old = entry(finding(), "2026-01-01")
        (made,) = baseline.renewed(report(finding()), [old], **self.HOW)  # type: ignore[arg-type]
        assert (made.expires, made.reason) == (date(2027, 1, 1), "BILL-1")

    def test_what_is_fixed_goes_if_that_is_asked_for(self) -> None:
        gone = entry(OTHER, operation=None)
        assert baseline.renewed(report(), [gone], **self.HOW) == (gone,)  # type: ignore[arg-type]
        assert baseline.renewed(report(), [gone], prune=True, **self.HOW) == ()  # type: ignore[arg-type]


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    baseline.write(path, [entry(OTHER)])
    baseline.write(path, [entry(finding())])
    assert baseline.load(path) == (entry(finding()),)
    assert [each.name for each in tmp_path.iterdir()] == ["known.toml"]
