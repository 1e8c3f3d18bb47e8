"""Names in several languages; a plain text is taken as English."""

from __future__ import annotations

from collections.abc import Mapping


def localized(name: str | Mapping[str, str]) -> Mapping[str, str]:
    return {"en": name} if isinstance(name, str) else name
