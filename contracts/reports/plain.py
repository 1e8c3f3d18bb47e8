"""A finding as plain text of many lines, for places that know no other: JUnit's failures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mock_server.commands.tables import clean, clean_text

from .view import Found, View

LONGEST_ANSWER, LONGEST_BEFORE = 600, 160
"""How much is shown of the answer that broke the law, and of those before it."""


def headline(found: Found) -> str:
    finding = found.finding
    where = f"{finding.operation}: " if finding.operation else ""
    return clean(f"{where}expected {finding.expected}; came {finding.came}")


def excuse(found: Found) -> str:
    """What the baseline says of it."""
    entry = found.entry
    if entry is None:
        return ""
    until = f"{'expired on' if found.news == 'expired' else 'known until'} {entry.expires.isoformat()}"
    return clean(f"{until}, {entry.owner}: {entry.reason}")


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} ... ({len(text)} characters)"


def told(view: View, found: Found) -> Iterator[tuple[str, str]]:
    """Line by line, each with what kind of line it is: head, news, fact, step, command or answer."""
    finding, way = found.finding, view.walkthrough(found)
    yield f"{found.number}) {finding.law}  {clean(finding.title)}  [{found.news}]", found.news
    came = "" if finding.status is None else f", answered {finding.status}"
    facts = [("known", excuse(found)), ("clause", finding.clause)]
    facts += [("call", f"{finding.operation}{came}" if finding.operation else ""), ("place", finding.place)]
    facts += [("expected", finding.expected), ("came", finding.came)]
    for name, text in facts:
        if text:
            yield f"   {name:9} {clean(text)}", "fact"
    for note in finding.notes:
        # A note may be a drawing.
        for n, line in enumerate(note.split("\n")):
            yield f"   {'' if n else 'note':9} {clean(line)}", "fact"
    if way.variables:
        yield f"   with {', '.join(f'{name}: {meaning}' for name, meaning in way.variables.items())}", "fact"
    yield from _asides("first", way.first)
    for step in way.steps:
        status = "" if not step.shown.is_call else f" -> {step.shown.status or 'no answer'}"
        yield f"   {step.number}. {clean(step.title)}{status}", "step"
        yield from _command(step.command)
        for name, place in step.gives:
            yield f"      then set {name} to what stands at {clean(place) or '/'}", "fact"
        if step.note:
            yield f"      ({step.note})", "fact"
        if step.shown.answer_body:
            most = LONGEST_ANSWER if step is way.steps[-1] else LONGEST_BEFORE
            yield f"      {clean(cut(step.shown.answer_body, most))}", "answer"
    yield from _asides("last", way.last)
    for name, text in (("seed", str(finding.seed)), ("again", view.command(found)), ("baseline", finding.fingerprint)):
        yield f"   {name:9} {clean(text)}", "fact"


def _asides(when: str, commands: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for what, command in commands:
        yield f"   {when}: {what}", "step"
        yield from _command(command)


def _command(command: str | None) -> Iterator[tuple[str, str]]:
    for line in clean_text(command or "").split("\n"):
        if line:
            yield f"      {line}", "command"
