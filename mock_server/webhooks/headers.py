"""Headers as they go over the wire: in their order and letter case, one name perhaps more than once. Pure."""

from __future__ import annotations

Headers = tuple[tuple[str, str], ...]


def values(headers: Headers, name: str) -> list[str]:
    """All that are given under a name, in any letter case."""
    name = name.lower()
    return [value for each, value in headers if each.lower() == name]


def put(headers: Headers, name: str, value: str) -> Headers:
    """`headers` with one of that name: where the first one stood and in its case, or else at the end."""
    found: list[tuple[str, str]] = []
    is_put = False
    for each in headers:
        if each[0].lower() != name.lower():
            found.append(each)
        elif not is_put:
            found.append((each[0], value))
            is_put = True
    return tuple(found) if is_put else (*found, (name, value))


def without(headers: Headers, *names: str) -> Headers:
    """`headers` but for those of these names."""
    lowered = {name.lower() for name in names}
    return tuple(each for each in headers if each[0].lower() not in lowered)
