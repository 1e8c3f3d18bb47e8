"""What a run has shown: as rows of a table, as JSON for scripts and as JUnit XML for CI. No secret stands in any of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from mock_server.webhooks.targets import shown

from .judging import Result

HEADS = ("variant", "what is sent", "expected", "got", "verdict")
WORDS = {"passed": "ok", "failed": "FAILED", "skipped": "does not apply"}
_NOT_IN_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Scorecard(msgspec.Struct, frozen=True):
    """`target` without its query, which may hold a secret."""

    target: str
    provider: str
    seed: int
    results: tuple[Result, ...]

    @property
    def failures(self) -> list[Result]:
        return [each for each in self.results if each.verdict == "failed"]

    @property
    def counts(self) -> dict[str, int]:
        return {verdict: sum(each.verdict == verdict for each in self.results) for verdict in WORDS}

    @property
    def score(self) -> str:
        passed, failed, skipped = self.counts.values()
        rest = f"; {skipped} do not apply" if skipped else ""
        return f"{passed} of {passed + failed} passed{rest}"

    @property
    def warning(self) -> str:
        """What makes the rest worth little."""
        valid = next((each for each in self.results if each.variant.name == "valid"), None)
        if valid is None or valid.verdict != "failed":
            return ""
        return (
            f"the plain valid webhook was not accepted ({valid.got}), so that the refusals below prove nothing: compare "
            "--secret, --provider and the path of --to with what the application has"
        )


def scorecard(url: str, provider: str, seed: int, results: Sequence[Result]) -> Scorecard:
    return Scorecard(shown(url), provider, seed, tuple(results))


def rows(card: Scorecard) -> list[tuple[str, ...]]:
    return [
        (each.variant.name, each.variant.what, each.expected, each.got, WORDS[each.verdict])
        for each in card.results
        if each.verdict != "skipped"
    ]


def view(card: Scorecard) -> dict[str, Any]:
    return {
        "target": card.target,
        "provider": card.provider,
        "seed": card.seed,
        **card.counts,
        "warning": card.warning or None,
        "variants": [_variant(each) for each in card.results],
    }


def _variant(result: Result) -> dict[str, Any]:
    variant = result.variant
    return {
        "name": variant.name,
        "what": variant.what,
        "why": variant.why,
        "verdict": result.verdict,
        "expected": result.expected or None,
        "got": result.got or None,
        "statuses": result.statuses,
        "seconds": round(result.seconds, 6),
        "reason": result.reason or None,
        "advice": variant.advice if result.verdict == "failed" else None,
    }


def junit(card: Scorecard) -> str:
    counts = card.counts
    seconds = f"{sum(each.seconds for each in card.results):.3f}"
    about = {"tests": str(len(card.results)), "failures": str(counts["failed"]), "skipped": str(counts["skipped"])}
    root = ET.Element("testsuites", {"name": "mockbill webhook gauntlet", **about, "errors": "0", "time": seconds})
    suite = ET.SubElement(
        root, "testsuite", {"name": f"gauntlet {card.provider}", **about, "errors": "0", "time": seconds}
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("target", card.target), ("provider", card.provider), ("seed", str(card.seed))):
        ET.SubElement(properties, "property", name=name, value=_safe(value))
    for result in card.results:
        variant = result.variant
        place = {"classname": f"mockbill.gauntlet.{card.provider}", "name": variant.name}
        case = ET.SubElement(suite, "testcase", {**place, "time": f"{result.seconds:.3f}"})
        if result.verdict == "skipped":
            ET.SubElement(case, "skipped", message=_safe(f"does not apply: {result.reason}"))
        elif result.verdict == "failed":
            message = f"{variant.what}: expected {result.expected}, got {result.got}"
            failure = ET.SubElement(case, "failure", message=_safe(message), type=variant.expected)
            failure.text = _safe(f"{variant.advice}\nExpected because {variant.why}.")
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _safe(text: str) -> str:
    """Without what XML 1.0 cannot say, which is spelled out instead."""
    return _NOT_IN_XML.sub(lambda each: each[0].encode("unicode_escape", "surrogatepass").decode(), text)
