"""A server with races: `python -m tests.contracts.racy GAP [ID...]`, seconds between check and act, and which mutants."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from contracts.mutants import races
from contracts.mutants.__main__ import serve
from contracts.mutants.catalogue import MUTANTS
from contracts.mutants.mutant import Mutant, together


def main(gap: float, ids: Sequence[str]) -> None:
    races.GAP_SECONDS = gap
    faults = [each.install for each in MUTANTS.values() if (each.id in ids if ids else each.family == "races")]
    racy = Mutant("racy", "races", (), "several races", together(*faults))
    MUTANTS["racy"] = racy  # type: ignore[index]
    serve("racy", 0, "demo")


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
