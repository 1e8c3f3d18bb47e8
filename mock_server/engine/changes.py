"""What differs between two states of an API, as data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

What = Literal["added", "removed", "changed"]


class Change(msgspec.Struct, frozen=True):
    """One thing that is not as it was.

    `org` is the organization's id, None for what belongs to the whole world; `subject` its name. `kind` and `id` say
    which thing it is. `text` is the change in words, without the subject: "tier free -> pro", "device 'Porch' added".
    `many`: how several changes of its sort are told in one breath, with {n} for their number ("{n} devices flagged");
    None if each stands for itself. `fields`: member -> (before, after), as JSON values; for what was added or removed
    the other side is None.
    """

    org: str | None
    subject: str
    kind: str
    id: str
    what: What
    text: str
    many: str | None = None
    fields: Mapping[str, tuple[Any, Any]] = {}


def summarized(changes: list[Change]) -> list[str]:
    """A line for each subject, in the order of their first changes: "Acme Doors: tier pro -> free, 3 devices flagged"."""
    lines: dict[tuple[str | None, str], list[str]] = {}
    counts: dict[tuple[str | None, str, str], int] = {}
    for change in changes:
        if change.many is not None:
            key = (change.org, change.subject, change.many)
            counts[key] = counts.get(key, 0) + 1
    told: set[tuple[str | None, str, str]] = set()
    for change in changes:
        texts = lines.setdefault((change.org, change.subject), [])
        key = (change.org, change.subject, change.many or "")
        if change.many is None or counts[key] == 1:
            texts.append(change.text)
        elif key not in told:
            told.add(key)
            texts.append(change.many.format(n=counts[key]))
    return [f"{subject}: {', '.join(texts)}" for (_, subject), texts in lines.items()]
