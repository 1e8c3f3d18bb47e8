"""What came back to a variant, and whether that is what should have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from mock_server.webhooks.outgoing import Answer, NoAnswer

from .statuses import Statuses
from .variant import Expected, Shot, Variant

Verdict = Literal["passed", "failed", "skipped"]
"""skipped: it does not apply here."""
FIRST_5XX = 500


class Rules(msgspec.Struct, frozen=True):
    """Which answers count as accepted, and which as refused."""

    accept: Statuses
    refuse: Statuses

    def told(self, expected: Expected) -> str:
        words = {
            "accepted": self.accept.text,
            "refused": self.refuse.text,
            "survived": "no 5xx",
            "anything": "anything",
        }
        return words[expected]

    def meets(self, expected: Expected, came: Answer | NoAnswer) -> bool:
        if expected == "anything":
            return True
        if isinstance(came, NoAnswer):
            return False
        if expected == "survived":
            return came.status < FIRST_5XX
        return came.status in (self.accept if expected == "accepted" else self.refuse)


class Result(msgspec.Struct, frozen=True):
    """`expected` and `got` in words; `reason` why it was skipped; `statuses` of the answers, None where none came."""

    variant: Variant
    verdict: Verdict
    expected: str
    got: str
    reason: str = ""
    seconds: float = 0.0
    statuses: tuple[int | None, ...] = ()


def judged(variant: Variant, shots: Sequence[Shot], came: Sequence[Answer | NoAnswer], rules: Rules) -> Result:
    met = [rules.meets(shot.expected, each) for shot, each in zip(shots, came, strict=True)]
    if variant.at_once:
        survived = all(rules.meets("survived", each) for each in came)
        passed, expected = any(met) and survived, f"{rules.told(variant.expected)} at least once, no 5xx"
    else:
        passed, expected = all(met), _together([rules.told(shot.expected) for shot in shots])
    statuses = tuple(each.status if isinstance(each, Answer) else None for each in came)
    got = _together([str(each.status) if isinstance(each, Answer) else each.explanation for each in came])
    seconds = sum(each.seconds for each in came)
    return Result(variant, "passed" if passed else "failed", expected, got, "", seconds, statuses)


def _together(words: Sequence[str]) -> str:
    return words[0] if len(set(words)) == 1 else ", ".join(words)
