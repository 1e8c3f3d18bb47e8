"""How the commands show the journal: entries in a line each, and one entry with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable

from .entries import Body, Explanation, Journal, JournalEntry, JournalLine, Message
from .tables import Cell, clean, compact, pairs, say, table

WHOLE = "whole"
INDENT = "  "


def show_journal(journal: Journal) -> None:
    if journal.requests:
        table(
            ("request", "at", "operation", "caller", "status", "why"),
            [(line.number, line.at, operation(line), line.caller, line.status, why(line)) for line in journal.requests],
        )
    else:
        say("no requests" if journal.matched == 0 else f"{journal.matched} match")
    if 0 < len(journal.requests) < journal.matched:
        say(f"and {journal.matched - len(journal.requests)} more that match")


def in_a_line(line: JournalLine) -> str:
    """For reading along: what stands at the end may be long."""
    told = f"{line.at}  {line.number:>5}  {operation(line):<36}  {line.status:>3}  {why(line)}"
    return clean(told.rstrip())


def operation(line: JournalLine) -> str:
    return line.operation or f"{line.method} {line.path}"


def why(line: JournalLine) -> str:
    """All that makes the answer other than the plain one."""
    remarks = [] if line.why is None else [line.why]
    if line.faults:
        remarks.append(f"fault {', '.join(line.faults)}")
    if line.delivery != WHOLE:
        remarks.append(f"answer {line.delivery.replace('_', ' ')}")
    return "; ".join([*(remark.rstrip(".") for remark in remarks[:-1]), *remarks[-1:]])


def show_entry(entry: JournalEntry) -> None:
    pairs(_head(entry))
    _message("request", entry.request)
    _message("response", entry.response)
    say("")
    say("changes" if entry.changes is not None else "changes: no longer known")
    for change in entry.changes or ():
        say(f"{INDENT}{change.subject}: {change.text}")
    if entry.changes == []:
        say(f"{INDENT}none")
    if entry.explanation is not None:
        say("")
        pairs(_explained(entry.explanation))


def show_why(entry: JournalEntry) -> None:
    pairs([*_head(entry), *(() if entry.explanation is None else _explained(entry.explanation))])


def _head(entry: JournalEntry) -> Iterable[tuple[str, Cell]]:
    yield "request", entry.number
    yield "asked", f"{entry.method} {entry.path}{'?' if entry.query else ''}{entry.query}"
    yield "operation", entry.operation
    yield "caller", entry.caller
    yield "at", entry.at
    yield "took", f"{entry.milliseconds:g} ms"
    yield "status", entry.status
    yield "problem", entry.problem
    yield "why", entry.why
    yield "faults", ", ".join(entry.faults)
    yield "delivery", entry.delivery.replace("_", " ")


def _explained(explanation: Explanation) -> Iterable[tuple[str, Cell]]:
    yield "check", explanation.check
    yield "rule", explanation.rule
    yield "clause", f"{explanation.clause.document} {explanation.clause.pointer}".rstrip()
    for name, fact in explanation.facts.items():
        yield f"fact: {clean(name)}", compact(fact)
    for option in explanation.legal:
        yield "legal", option


def _message(name: str, message: Message) -> None:
    say("")
    say(name)
    for header in message.headers:
        say(f"{INDENT}{header.name}: {header.value}")
    _body(message.body)


def _body(body: Body) -> None:
    if not body.size:
        return
    say("")
    if body.text is not None:
        for line in body.text.splitlines():
            say(f"{INDENT}{line}")
    elif body.base64 is not None:
        say(f"{INDENT}base64: {body.base64}")
    if body.cut:
        say(f"{INDENT}(the beginning of {body.size} bytes)")
