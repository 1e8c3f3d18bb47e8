"""How long each provider waits, and that nobody waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.webhooks.retrying import LONGEST_WAIT, MANNERS, Manner, manner_of

waits = st.lists(st.integers(0, LONGEST_WAIT), max_size=20).map(tuple)
statuses = st.none() | st.integers(100, 999)


@given(st.sampled_from(sorted(MANNERS)), waits, statuses, st.text(max_size=30))
def test_there_are_as_many_attempts_as_waits_and_one_more(
    scheme: str, retries: tuple[int, ...], status: int | None, asked: str
) -> None:
    manner = manner_of(scheme)
    found = [manner.wait(retries, tried, status, {"retry-after": asked}) for tried in range(1, len(retries) + 5)]
    assert found[len(retries) :] == [None] * 4
    for wait, usual in zip(found, retries, strict=False):
        assert wait is not None
        assert usual <= wait <= LONGEST_WAIT


@given(waits.filter(bool), st.integers(0, 999_999))
def test_retry_after_only_makes_it_later(retries: tuple[int, ...], asked: int) -> None:
    heeding, deaf = Manner((), heeds=True), Manner(())
    headers = {"retry-after": str(asked)}
    for status in (429, 503):
        assert heeding.wait(retries, 1, status, headers) == max(retries[0], min(asked, LONGEST_WAIT))
        assert deaf.wait(retries, 1, status, headers) == retries[0]
    for other in (None, 200, 301, 404, 500):
        assert heeding.wait(retries, 1, other, headers) == retries[0]


@pytest.mark.parametrize(
    "asked", ["", "soon", "1.5", "-1", " 7", "7 ", "+7", "1234567", "\u0667", "Wed, 21 Oct 2026 07:28:00 GMT"]
)
def test_what_is_no_number_of_seconds_is_passed_over(asked: str) -> None:
    assert Manner((), heeds=True).wait((5,), 1, 429, {"retry-after": asked}) == 5


@given(st.sampled_from(sorted(MANNERS)), st.integers(100, 999))
def test_200_is_success_everywhere_and_what_is_no_2xx_or_3xx_nowhere(scheme: str, status: int) -> None:
    manner = manner_of(scheme)
    assert manner.is_success(200)
    if not 200 <= status < 400:
        assert not manner.is_success(status)
    if manner.only_200:
        assert manner.is_success(status) == (status == 200)


def test_three_days_of_stripe() -> None:
    assert 2.5 * 86_400 <= sum(manner_of("stripe").retries) <= 3.5 * 86_400


def test_what_some_send_only_once() -> None:
    assert manner_of("github").retries == manner_of("commerce").retries == ()
