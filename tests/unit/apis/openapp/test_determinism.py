"""The order of a persistent map reaches nothing that can be seen: under every hash seed the same happens in one order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[4]
SCRIPT = """
import hashlib
import msgspec
from hypothesis import Phase, given, settings
from mock_server.engine.instants import DAY
from mock_server.engine.kernel import advance
from tests.unit.apis.openapp.acting import API, JOBS, ROOT, domain, happened, histories, refusals, world

def explained(refusal):
    state, problem, _ = refusal
    return API.explained(domain(state), state.context(state.clock.now), problem, ROOT)

def short(value):
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]

@settings(derandomize=True, database=None, deadline=None, max_examples=30, phases=[Phase.generate])
@given(histories)
def run(history):
    state = happened(world(), history)
    agenda = list(state.agenda)
    later, fallen = advance(state, state.clock.now + 90 * DAY, JOBS)
    dumps = [msgspec.json.encode(API.dump(domain(each))) for each in (state, later)]
    seen = {
        "history": history, "state": dumps, "agenda": agenda, "timeline": fallen,
        "changes": [API.compared(domain(a), domain(b)) for a, b in ((world(), state), (state, later), (later, world()))],
        "causes": [API.causes[item.job.name](domain(state), item.job.args) for item in agenda],
        "explanations": [explained(each) for each in refusals(world(), history)],
        "outbox": [list(each.outbox.happenings) for each in (state, later)],
    }
    print(*(f"{name}={short(value)}" for name, value in seen.items()))

run()
"""


def test_what_happens_does_not_depend_on_the_hash_seed() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout.splitlines()
        for seed in ("0", "1")
    ]  # fmt: skip
    assert len(runs[0]) == len(runs[1]) > 10
    differing: Counter[str] = Counter()
    for one, other in zip(*runs, strict=True):
        differing.update(a.partition("=")[0] for a, b in zip(one.split(), other.split(), strict=True) if a != b)
    assert not differing, f"of {len(runs[0])} histories"
