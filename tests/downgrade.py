"""The table in docs/apis/openapp.md: a downgrade, day by day, made by running it. `python -m tests.downgrade` writes it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mock_server.app import create_app, create_mock
from mock_server.engine.instants import parse_instant

from .api.client import ACME, Client, World

PAGE = Path(__file__).resolve().parent.parent / "docs" / "apis" / "openapp.md"
PLACE = re.compile(r"(?<=<!-- downgrade -->\n).*?(?=<!-- /downgrade -->)", re.DOTALL)
START = parse_instant("2026-03-01T00:00:00Z")
DEVICES = 8
SHOWN = {0, 1, 6, 10, 16, 22, 30, 36, 44, 50}
"""Days that are shown even if nothing but the delay has changed."""


def table() -> str:
    """A downgrade from `pro` to `free` with eight devices, one of them in use."""
    mock = create_mock(wall=lambda: START, fresh_seed=lambda: 7)
    mock.create_world("docs", "demo", seed=7, now=START)
    world = World(Client(create_app(mock)), "docs")
    doors = _stocked(world)
    lines = [
        "| day | stage | level | devices | flagged | a member opens a door | what fell due |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    fallen, last = "checkout: `pro` to `free`", ""
    world.billing("POST", "checkout", json={"tier_slug": "free"})
    for day in range(54):
        if day:
            moved = world.advance("P1D")["timeline"]
            fallen = "; ".join(each["outcome"] for each in moved if each["job"] == "lifecycle_stage_ends")
        status = world.billing("GET", "degradation").json
        now = f"{status['stage']} {len(status['flagged'])}"
        if now != last or day in SHOWN:
            lines.append(_line(day, status, len(world.call("GET", "/devices").json), _opened(world, doors[0]), fallen))
        last = now
    assert not mock.breaches
    return "\n".join(lines) + "\n"


def _stocked(world: World) -> list[str]:
    """Eight devices with a door each, created an hour apart; the ids of the doors."""
    assert world.billing("POST", "checkout", json={"tier_slug": "pro"}).status == 200
    body = {"org_id": ACME, "provider_type": "virtual_demo"}
    integration = world.call("POST", "/integrations", json=body).json["id"]
    doors = []
    for n in range(DEVICES):
        device = {"org_id": ACME, "integration_id": integration, "name": f"Door {n + 1}"}
        device_id = world.call("POST", "/devices", json=device).json["id"]
        entity = world.call("POST", "/entities", json={"device_id": device_id, "entity_type": "door"})
        doors.append(entity.json["id"])
        world.advance("PT1H")
    world.advance("PT16H")
    return doors


def _opened(world: World, door: str) -> str:
    answer = world.call("POST", f"/entities/{door}/actions/switchable.open", "demo-member", json={})
    assert answer.status == 200, answer.body
    slowed = answer.json.get("degradation")
    return "at once" if slowed is None else f"{slowed['delay_ms']} ms later"


def _line(day: int, status: dict[str, Any], devices: int, opened: str, fallen: str) -> str:
    states = sorted({each["state"] for each in status["flagged"]})
    flagged = f"{len(status['flagged'])} {states[0]}" if states else "none"
    level = f"{status['degradation_level']:.3f}"
    return f"| {day} | `{status['stage']}` | {level} | {devices} | {flagged} | {opened} | {fallen or '-'} |"


def main() -> int:
    PAGE.write_text(PLACE.sub(lambda _: table(), PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
