"""`junit.xml`: a suite for each family, a case for each law. What was not verified is skipped, with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from contracts.findings import LawResult

from .plain import excuse, headline, told
from .view import View

_NOT_IN_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MOST_SHOWN = 25
"""Findings of one law that are shown in full."""


def text(view: View) -> str:
    families: dict[str, list[LawResult]] = {}
    for result in view.report.laws:
        families.setdefault(result.family, []).append(result)
    root = ET.Element("testsuites", {"name": "mockbill contract"} | _counts(view, view.report.laws))
    for family, results in families.items():
        about = {
            "name": family,
            "errors": "0",
            "timestamp": _safe(view.report.began.rstrip("Z")),
            "hostname": "localhost",
        }
        suite = ET.SubElement(root, "testsuite", about | _counts(view, results))
        properties = ET.SubElement(suite, "properties")
        facts = {"url": view.report.url, "api": view.report.api, "bundle": view.report.bundle_version}
        facts |= {"profile": view.report.profile, "seed": str(view.report.seed)}
        facts |= {"shard": view.report.shard} if view.report.shard else {}
        facts |= {"stopped": view.report.stopped} if view.report.stopped else {}
        for name, value in facts.items():
            ET.SubElement(properties, "property", name=name, value=_safe(value))
        for result in results:
            _case(suite, view, result)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, view: View, result: LawResult) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=f"mockbill.{result.family}", name=result.law, time=f"{result.seconds:.3f}"
    )
    state = view.state(result)
    found = view.of_law(result.law)
    unexcused = [each for each in found if each.news != "known"]
    if state == "not verified":
        ET.SubElement(case, "skipped", message=_safe(f"not verified: {result.reason}"))
    elif state == "failed":
        first = headline(unexcused[0]) if unexcused else result.reason
        more = f" (and {len(unexcused) - 1} more)" if len(unexcused) > 1 else ""
        failure = ET.SubElement(case, "failure", message=_safe(first[:500] + more), type=_kind(view, result))
        shown = ["\n".join(line for line, _ in told(view, each)) for each in unexcused[:MOST_SHOWN]]
        failure.text = _safe("\n\n".join([result.title, f"clause {result.clause}", *shown]))
    said = [f"{result.title}", f"clause {result.clause}", f"{result.calls} calls"]
    said += [f"state: {state}"] + ([f"reason: {result.reason}"] if result.reason else [])
    for each in found:
        if each.entry is not None:
            said.append(f"{each.news} finding {each.finding.fingerprint} ({excuse(each)}): {headline(each)}")
    ET.SubElement(case, "system-out").text = _safe("\n".join(said))


def _kind(view: View, result: LawResult) -> str:
    kinds = [each.finding.kind for each in view.of_law(result.law) if each.news != "known"]
    return _safe(kinds[0]) if kinds else "failed"


def _counts(view: View, results: Sequence[LawResult]) -> dict[str, str]:
    states = [view.state(each) for each in results]
    return {
        "tests": str(len(states)),
        "failures": str(states.count("failed")),
        "skipped": str(states.count("not verified")),
        "time": f"{sum(each.seconds for each in results):.3f}",
    }


def _safe(text: str) -> str:
    """Text without what XML 1.0 cannot say, which is spelled out instead."""
    return _NOT_IN_XML.sub(lambda each: each[0].encode("unicode_escape", "surrogatepass").decode(), text)
