"""Names in several languages; a plain text is taken as English."""

from __future__ import annotations

from collections.abc import Mapping


def localized(name: str | Mapping[str, str]) -> Mapping[str, str]:
    return {"en": name} if isinstance(name, str) else name


def in_one_language(name: Mapping[str, str]) -> str:
    """For texts of ours."""
    return name.get("en") or next(iter(name.values()))
