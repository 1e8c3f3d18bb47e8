"""The commands that speak to a running mock. They know its control API and nothing else of it."""

from __future__ import annotations

import typer

from . import clock, faults, inside, requests, saves, snapshots, watch, worlds

# These add to the group of `worlds`.
ADDED = (inside, saves, snapshots, watch)
GROUPS: dict[str, typer.Typer] = {
    "worlds": worlds.app,
    "clock": clock.app,
    "requests": requests.app,
    "faults": faults.app,
}
