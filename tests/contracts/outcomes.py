"""What a run says, in a form that tests can compare."""

from __future__ import annotations

from contracts.findings import Report


def states(report: Report) -> dict[str, str]:
    """How each law went, and why."""
    return {law.law: f"{law.state} {law.reason}".strip() for law in report.laws}


def found(report: Report) -> list[str]:
    """A line for each finding."""
    return [
        f"{each.law} {each.operation} {each.kind}: expected {each.expected}; came {each.came}"
        for each in report.findings
    ]
