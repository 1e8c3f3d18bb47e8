"""A server with races: `python -m tests.contracts.racy GAP [ID...]`, seconds between check and act, and which mutants."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from contracts.mutants import races
from contracts.mutants.__main__ import serve
from contracts.mutants.catalogue import MUTANTS
from contracts.mutants.mutant import Mutant, replacing, together
from mock_server.apis.openapp.handlers import webhooks
from mock_server.apis.openapp.model import webhook_ingress

assert webhooks, "looks up what is replaced here"


def events_lost(real: Any) -> Any:
    """What an event is held against, and what it is put on top of, is what was there before the gap."""
    return lambda state, *args: real(races.seen(state), *args)


def main(gap: float, ids: Sequence[str]) -> None:
    races.GAP_SECONDS = gap
    faults = [each.install for each in MUTANTS.values() if (each.id in ids if ids else each.family == "races")]
    if not ids:
        faults.append(races.racing("post_billing_webhook", replacing(webhook_ingress.receive, events_lost)))
    racy = Mutant("racy", "races", (), "several races", together(*faults))
    MUTANTS["racy"] = racy  # type: ignore[index]
    serve("racy", 0, "demo")


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
