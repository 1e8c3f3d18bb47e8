"""Headers are looked up and changed without regard to case, and the rest stays as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.webhooks.headers import Headers, put, values, without

names = st.text("aAbB-", min_size=1, max_size=3)
headers = st.lists(st.tuples(names, st.text(max_size=3)), max_size=8).map(tuple)


@given(headers, names, st.text(max_size=3))
def test_one_of_a_name_where_the_first_one_stood(before: Headers, name: str, value: str) -> None:
    after = put(before, name, value)
    assert values(after, name.swapcase()) == [value]
    assert without(after, name) == without(before, name.swapcase())
    first = next((n for n, each in enumerate(before) if each[0].lower() == name.lower()), len(before))
    assert after[first] == (before[first][0] if first < len(before) else name, value)
    assert after[:first] == before[:first]


@given(headers, st.lists(names, max_size=3))
def test_without_some(before: Headers, gone: list[str]) -> None:
    after = without(before, *gone)
    assert not any(values(after, name) for name in gone)
    assert len(after) + sum(len(values(before, name)) for name in {each.lower() for each in gone}) == len(before)
