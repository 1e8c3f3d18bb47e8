"""What comparing two states takes: which rows are not the same, in which members, and how that is put into words.

Most of two states is one and the same object, so identity is asked first and only the rest looked into. As JSON 1, 1.0
and true are different, though Python takes them for equal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from mock_server.engine.changes import Change, What
from mock_server.engine.instants import format_instant

from .localized import in_one_language

Pair = tuple[Any, Any]
Members = dict[str, Pair]
"""Member -> what it was and what it is."""

SECRET = ("secret", "digest", "token_suffix")
"""What nobody is told of these members is more than that they are not as they were."""
LONGEST_TEXT = 2_000
LONGEST_NAME = 80

_encoded = msgspec.json.Encoder(order="sorted").encode


class Teller(msgspec.Struct, frozen=True):
    """Makes the changes of one organization; of the whole world, if `org` is None."""

    org: str | None
    subject: str

    def added(self, kind: str, row_id: str, row: msgspec.Struct, text: str, many: str | None = None) -> Change:
        fields = {name: (None, value) for name, value in _shown(row).items()}
        return self._change(kind, row_id, "added", text, many, fields)

    def removed(self, kind: str, row_id: str, row: msgspec.Struct, text: str, many: str | None = None) -> Change:
        fields = {name: (value, None) for name, value in _shown(row).items()}
        return self._change(kind, row_id, "removed", text, many, fields)

    def changed(
        self, kind: str, row_id: str, members: Mapping[str, Pair], text: str, many: str | None = None
    ) -> Change:
        fields = {
            name: (msgspec.to_builtins(one), msgspec.to_builtins(other))
            for name, (one, other) in members.items()
            if name not in SECRET
        }
        return self._change(kind, row_id, "changed", text, many, fields)

    def unseen(self, kind: str, row_id: str, what: What, text: str) -> Change:
        """Of something that has no members to show."""
        return self._change(kind, row_id, what, text, None, {})

    def _change(
        self, kind: str, row_id: str, what: What, text: str, many: str | None, fields: Mapping[str, Pair]
    ) -> Change:
        return Change(self.org, self.subject, kind, row_id, what, text[:LONGEST_TEXT], many, fields)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Pair]:
    """The keys that do not lead to one and the same object, with what is on either side (None where nothing is).

    In no order: the caller sorts.
    """
    if before is after:
        return {}
    found = {key: (one, other) for key, other in after.items() if (one := before.get(key)) is not other}
    if len(before) + sum(one is None for one, _ in found.values()) != len(after):
        found |= {key: (one, None) for key, one in before.items() if key not in after}
    return found


def members_of(before: msgspec.Struct, after: msgspec.Struct) -> Members:
    """The members in which two rows are not the same."""
    pairs = ((name, (getattr(before, name), getattr(after, name))) for name in after.__struct_fields__)
    return {name: pair for name, pair in pairs if not same(*pair)}


def same(one: Any, other: Any) -> bool:
    if one is other or one != other:
        return one is other
    return isinstance(one, str) or _encoded(one) == _encoded(other)


def phrases_of(members: Mapping[str, Pair], silent: Collection[str] = (), bare: Collection[str] = ()) -> list[str]:
    """Each member in words. `silent` ones speak only where no other does; `bare` ones without saying what they are."""
    loud = {name: pair for name, pair in members.items() if name not in silent} or members
    shown = {name: pair for name, pair in loud.items() if name not in SECRET}
    texts = [values(name, *pair) if name in bare else phrase(name, *pair) for name, pair in shown.items()]
    return texts if len(shown) == len(loud) else ["secret changed", *texts]


def phrase(member: str, before: Any, after: Any) -> str:
    """The member by its name: "name 'Porch' -> 'Gate'", "zone zone-a -> none"."""
    words = member.removesuffix("_id").removesuffix("_slug").replace("_", " ")
    return f"{words} {values(member, before, after)}"


def values(member: str, before: Any, after: Any) -> str:
    """ "warned -> degraded"; only "changed" where the values would be too long to read."""
    one, other = _short(member, before), _short(member, after)
    return "changed" if one is None or other is None or one == other else f"{one} -> {other}"


def called(row: Any) -> str:
    """A row's name in quotes; its id, if it has no name."""
    name = getattr(row, "name", None)
    if isinstance(name, Mapping):
        name = in_one_language(name)
    return quoted(name or row.id)


def quoted(name: str) -> str:
    return repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...")


def _short(member: str, value: Any) -> str | None:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return format_instant(value) if member.endswith("_at") else str(value)
    if isinstance(value, Mapping) and member == "name":
        return quoted(in_one_language(value))
    if isinstance(value, str):
        return quoted(value) if member == "name" else value if len(value) <= LONGEST_NAME else None
    return None


def _shown(row: msgspec.Struct) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(row)
    return {name: value for name, value in members.items() if name not in SECRET}
