"""Whether a target's answer says the same as the oracle's, where ids, texts for people and secrets are its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.engine.instants import SECOND, InvalidTime, parse_instant
from mock_server.openapi.walk import join

from .http import Answer


class Freedom(msgspec.Struct, frozen=True):
    """What an implementation of one API may choose. Members are meant by name, wherever they stand.

    ignored     its own affair: texts for people, request ids
    own         values that it makes: another than the oracle's, but always the same one for the same thing
    moments     instants, compared with a tolerance
    loose       objects of which only some members are compared, where both have them
    unordered   lists whose order nobody promises
    rough       numbers, and by how much they may differ, because nobody says how they are rounded
    """

    ignored: frozenset[str]
    own: frozenset[str]
    moments: frozenset[str]
    loose: Mapping[str, frozenset[str]]
    unordered: frozenset[str] = frozenset()
    rough: Mapping[str, float] = {}
    headers: tuple[str, ...] = ("retry-after",)


class Difference(msgspec.Struct, frozen=True):
    """`place`: JSON pointer into the body, or the header's name; `kind`: status, header or body.

    `wanted`: what was expected as data, in the oracle's terms: `status`, or `header` and its `value` (None: missing), or
    the keys that lead to a member (`at`) and its `value` or `length`; neither: it is not there. `is`: what freedom there is.
    """

    kind: str
    place: str
    expected: str
    came: str
    wanted: Mapping[str, Any] | None = None


class Correspondence:
    """Which of the target's own values stand for which of the oracle's: one for one, or it is a difference."""

    def __init__(self, freedom: Freedom, tolerance: int = SECOND) -> None:
        self.freedom, self.tolerance = freedom, tolerance
        self.given: set[str] = set()
        """Texts that requests have carried: those are nobody's own."""
        self._theirs: dict[str, str] = {}
        self._ours: dict[str, str] = {}

    def copy(self, freedom: Freedom | None = None) -> Correspondence:
        """Another one that knows what this one does, to go on from here in one of several ways."""
        copy = Correspondence(freedom or self.freedom, self.tolerance)
        copy.given = set(self.given)
        copy._theirs, copy._ours = dict(self._theirs), dict(self._ours)
        return copy

    def pair(self, ours: str, theirs: str) -> None:
        self._theirs[ours], self._ours[theirs] = theirs, ours

    def theirs(self, value: Any) -> Any:
        """A value in the oracle's terms, in the target's."""
        if isinstance(value, str):
            return self._theirs.get(value, value)
        if isinstance(value, Mapping):
            return {self.theirs(key): self.theirs(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.theirs(each) for each in value]
        return value

    def difference(self, ours: Answer, theirs: Answer) -> Difference | None:
        """The first thing in which the target's answer differs; what is new in both is paired."""
        if ours.status != theirs.status:
            return Difference("status", "", _status(ours), _status(theirs), {"status": ours.status})
        for name in self.freedom.headers:
            expected, came = ours.header(name), theirs.header(name)
            if (expected is None) != (came is None) or (expected and came and not self._near(expected, came)):
                wanted = {"header": name, "value": expected}
                return Difference("header", name, f"{name}: {expected}", f"{name}: {came}", wanted)
        if ours.media_type.endswith("json") and theirs.media_type.endswith("json"):
            return self._value(ours.json, theirs.json, "", "")
        return None

    def _near(self, expected: str, came: str) -> bool:
        if expected.isdigit() and came.isdigit():
            return abs(int(expected) - int(came)) * SECOND <= self.tolerance + SECOND
        return expected == came

    def _value(self, ours: Any, theirs: Any, at: str, member: str) -> Difference | None:
        if member in self.freedom.loose and (ours is None or theirs is None):
            return None
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            return self._object(ours, theirs, at, member)
        if isinstance(ours, list) and isinstance(theirs, list):
            return self._list(ours, theirs, at, member)
        if self._same(ours, theirs, member):
            return None
        free = self.freedom
        how = "own" if member in free.own else "moment" if member in free.moments else "same"
        return Difference(
            "body",
            at,
            f"{at or '/'} = {_short(self.theirs(ours))}",
            f"{at or '/'} = {_short(theirs)}",
            {"at": self._keys(at), "value": ours, "is": how},
        )

    def _keys(self, pointer: str) -> list[str]:
        """A pointer into the target's answer, key by key, in the oracle's terms."""
        keys = [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]]
        return [self._ours.get(each, each) for each in keys]

    def _object(self, ours: Mapping[str, Any], theirs: Mapping[str, Any], at: str, member: str) -> Difference | None:
        only = self.freedom.loose.get(member)
        names = [name for name in ours if only is None or (name in only and self._theirs.get(name, name) in theirs)]
        for name in names:
            there = self._theirs.get(name, name)
            if name in self.freedom.ignored:
                continue
            if (found := self._value(ours[name], theirs.get(there), join(at, there), name)) is not None:
                return found
        if only is not None:
            return None
        known = {self._theirs.get(name, name) for name in ours}
        for name, value in theirs.items():
            if name not in known and value is not None and name not in self.freedom.ignored:
                at = join(at, name)
                return Difference("body", at, f"no {at}", f"{at} = {_short(value)}", {"at": self._keys(at)})
        return None

    def _list(self, ours: list[Any], theirs: list[Any], at: str, member: str) -> Difference | None:
        if len(ours) != len(theirs):
            return Difference(
                "body",
                at,
                f"{len(ours)} at {at or '/'}: {_short(self.theirs(ours))}",
                f"{len(theirs)}: {_short(theirs)}",
                {"at": self._keys(at), "length": len(ours)},
            )
        if member in self.freedom.unordered:
            theirs = self._in_order(ours, theirs)
        for n, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            if (found := self._value(mine, other, join(at, n), member)) is not None:
                return found
        return None

    def _in_order(self, ours: list[Any], theirs: list[Any]) -> list[Any]:
        """The target's items, each beside the one of the oracle's that has the same id, as far as that is known."""
        rank = {_key(self.theirs(each)): n for n, each in enumerate(ours)}
        return sorted(theirs, key=lambda each: rank.get(_key(each), len(rank)))

    def _same(self, ours: Any, theirs: Any, member: str) -> bool:
        if isinstance(ours, str) and isinstance(theirs, str):
            if ours in self._theirs:
                return self._theirs[ours] == theirs
            if member in self.freedom.moments:
                return self._at_the_same_time(ours, theirs)
            if member in self.freedom.own and ours not in self.given and theirs not in self._ours:
                self.pair(ours, theirs)
                return True
            return ours == theirs
        if isinstance(ours, bool) or isinstance(theirs, bool) or ours is None or theirs is None:
            return ours is theirs
        if member in self.freedom.rough and isinstance(ours, int | float) and isinstance(theirs, int | float):
            return abs(ours - theirs) <= self.freedom.rough[member]
        return type(ours) is type(theirs) and ours == theirs

    def _at_the_same_time(self, ours: str, theirs: str) -> bool:
        try:
            return abs(parse_instant(ours) - parse_instant(theirs)) <= self.tolerance
        except InvalidTime:
            return ours == theirs


def _status(answer: Answer) -> str:
    code = answer.json.get("error_code") if isinstance(answer.json, dict) else None
    return f"status {answer.status}" + (f" {code}" if code else "")


def _key(item: Any) -> str:
    if isinstance(item, Mapping):
        return str(item.get("id") or item.get("key") or item)
    return str(item)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 200 else text[:200] + " ..."
