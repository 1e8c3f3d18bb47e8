"""`report.html`: one file that needs nothing else. It reads without scripts; with them the coverage can be filtered."""

from __future__ import annotations

import base64
import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal

import jinja2
import msgspec
from markupsafe import Markup

from contracts.findings import Seen, Shown
from mock_server.commands.tables import clean, clean_text

from .plain import excuse
from .view import View

LONGEST_BODY = 4_000
POLICY = "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'"
State = Literal["verified", "seen", "masked", "not verified"]
LETTERS: dict[State, str] = {"verified": "V", "seen": "S", "masked": "M", "not verified": "·"}
MEANINGS: dict[State, str] = {
    "verified": "came, and was held against more than its shape",
    "seen": "came, and has the declared shape",
    "masked": "came where another status was hoped for, and so hides what lies behind",
    "not verified": "never came under this law",
}


class Row(msgspec.Struct, frozen=True):
    """A declared status of an operation: what came of it under each law, and all in all."""

    seen: Seen
    overall: State
    cells: tuple[State, ...]


def text(view: View) -> str:
    page = _environment().get_template("page.html")
    laws = [each.law for each in view.report.laws]
    touched = [law for law in laws if any(_counts(each, law) for each in view.report.coverage)]
    style, script = _part("style.css"), _part("filter.js")
    return page.render(
        view=view,
        report=view.report,
        laws=touched,
        untouched=[law for law in laws if law not in touched],
        groups=_groups(view, touched),
        letters=LETTERS,
        meanings=MEANINGS,
        ways={each.number: view.walkthrough(each) for each in view.found},
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=POLICY.format(_hash(style), _hash(script)),
        excuse=excuse,
    )


def _groups(view: View, laws: list[str]) -> list[tuple[str, str, list[Row]]]:
    """The rows by operation, in the bundle's order: its id, method and path, and its statuses."""
    groups: dict[str, list[Row]] = {}
    for each in view.report.coverage:
        overall: State = (
            "verified" if each.verified else "seen" if each.seen else "masked" if each.masked else "not verified"
        )
        row = Row(each, overall, tuple(_state(each, law) for law in laws))
        groups.setdefault(each.operation, []).append(row)
    return [(name, f"{rows[0].seen.method} {rows[0].seen.path}", rows) for name, rows in groups.items()]


def _state(each: Seen, law: str) -> State:
    if each.verified.get(law):
        return "verified"
    if each.masked.get(law):
        return "masked"
    return "seen" if each.seen.get(law) else "not verified"


def _counts(each: Seen, law: str) -> bool:
    return law in each.seen or law in each.verified or law in each.masked


def asked(step: Shown) -> str:
    """A request as it went over the wire, more or less."""
    head = [f"{step.method} {step.url}", *(f"{name}: {value}" for name, value in step.headers)]
    return "\n".join(map(clean, head)) + (f"\n\n{_body(step.body)}" if step.body else "")


def came(step: Shown) -> str:
    if step.status is None:
        return "no answer"
    head = [str(step.status), *(f"{name}: {value}" for name, value in step.answer_headers)]
    return "\n".join(map(clean, head)) + (f"\n\n{_body(step.answer_body)}" if step.answer_body else "")


def _body(text: str) -> str:
    """JSON is laid out; anything else is shown as it is."""
    try:
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False) if text[:1] in "{[" else text
    except (ValueError, RecursionError):
        pass
    text = clean_text(text)
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}\n... ({len(text)} characters)"


def _part(name: str) -> str:
    return (files("contracts.reports") / "page" / name).read_text(encoding="utf-8")


def _hash(part: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(part.encode()).digest()).decode()}'"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {"clean": clean, "clean_text": clean_text, "asked": asked, "came": came}
    environment.filters.update(filters)
    return environment
