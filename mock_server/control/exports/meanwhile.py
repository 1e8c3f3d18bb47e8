"""What was done to a world between two of its requests, as far as the journal's states tell."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.engine.world import WorldState
from mock_server.store.journal import Entry

Settings = dict[str, Any]


def changed_settings(before: Entry, entry: Entry) -> dict[str, Settings]:
    """The settings that were not the same any more, by API."""
    if (left := _left_by(before)) is None or (found := entry.state) is None:
        return {}
    changed = {}
    for api in sorted(set(left.apis) & set(found.apis)):
        was, now = _settings_in(left, api), _settings_in(found, api)
        values = {name: value for name, value in now.items() if was.get(name, ...) != value}
        if values:
            changed[api] = values
    return changed


def was_changed_otherwise(before: Entry, entry: Entry) -> bool:
    """Whether no time had passed, and the world had still changed: the control API can do that."""
    left, found = _left_by(before), entry.state
    return left is not None and found is not None and before.at == entry.at and left.revision != found.revision


def _left_by(entry: Entry) -> WorldState | None:
    """The world behind a request."""
    return entry.steps[-1][1] if entry.steps else entry.state


def _settings_in(state: WorldState, api: str) -> Settings:
    settings: Settings = msgspec.to_builtins(getattr(state.apis[api], "settings", {}))
    return settings
