"""Instants are integers that survive being written; durations follow the calendar; windows tile time."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.engine.clock import frozen, moved, running
from mock_server.engine.instants import (
    DAY,
    EARLIEST,
    LATEST,
    SECOND,
    InvalidTime,
    add_duration,
    format_instant,
    parse_instant,
)
from mock_server.engine.windows import Calendar, window_at

instants = st.integers(EARLIEST, LATEST)
calendars: st.SearchStrategy[Calendar] = st.sampled_from(["day", "week", "month"])


@given(instants)
def test_text_and_back(instant: int) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidTime):
        assert EARLIEST <= parse_instant(text) <= LATEST


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2025-12-31T19:30:00-04:30", "2026-01-01T00:00:00Z"),
        ("2025-12-31T23:59:60Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01t00:00:00.5z", "2026-01-01T00:00:00.500000Z"),
        ("2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00.123456Z"),
    ],
)
def test_other_spellings(text: str, same_as: str) -> None:
    assert format_instant(parse_instant(text)) == same_as


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T00:00:00Z",
        "9999-12-31T00:00:00Z",
    ],
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_instant(text)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-01-31T00:00:00Z", "P1M", "2026-02-28T00:00:00Z"),
        ("2024-01-31T00:00:00Z", "P1M", "2024-02-29T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "P1Y", "2025-02-28T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "P1W", "2026-01-08T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "PT90S", "2026-01-01T00:01:30Z"),
        ("2026-12-31T23:59:59Z", "PT1S", "2027-01-01T00:00:00Z"),
    ],
)
def test_durations_follow_the_calendar(start: str, duration: str, end: str) -> None:
    assert format_instant(add_duration(parse_instant(start), duration)) == end


@pytest.mark.parametrize("duration", ["", "31D", "P", "-P1D", "P9999Y", "P1D1", "PT1e400S", "P" + "9" * 400 + "D"])
def test_what_is_no_duration(duration: str) -> None:
    with pytest.raises(InvalidTime):
        add_duration(parse_instant("2026-01-01T00:00:00Z"), duration)


@given(calendars, instants)
def test_windows_tile_time(calendar: Calendar, instant: int) -> None:
    window = window_at(calendar, instant)
    assert window.start <= instant < window.end
    if window.end <= LATEST:
        after = window_at(calendar, window.end)
        assert after.start == window.end
        assert after.label != window.label
    assert window_at(calendar, window.end - 1) == window
    assert (
        window.end - window.start
        in {
            "day": {DAY},
            "week": {7 * DAY},
            "month": {28 * DAY, 29 * DAY, 30 * DAY, 31 * DAY},
        }[calendar]
    )


@given(instants)
def test_week_labels_are_those_of_iso_8601(instant: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    year, week, _ = moment.isocalendar()
    assert window_at("week", instant).label == f"week:{year:04d}-W{week:02d}"


@given(instants, st.integers(0, 10**15), st.integers(-(10**12), 10**12))
def test_a_running_clock_follows_the_machine_and_never_goes_back(now: int, wall: int, later: int) -> None:
    clock = running(now, wall)
    assert clock.read(wall + later) == now + max(later, 0)
    assert frozen(now).read(wall + later) == now
    assert moved(clock, now, wall + SECOND).read(wall + SECOND) == now
