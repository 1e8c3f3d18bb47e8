"""`mockbill worlds watch`: the journal of a world, live."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from .client import HERE, PATIENCE_S, Answer, Mock, Query
from .entries import Journal, RawEntries
from .journal import in_a_line
from .options import DEMO, AsJson, Caller, FaultId, Operation, Problem, Status, Token, Url, given, world_names
from .tables import say_json
from .worlds import app

FIRST = 10
MOST = 1000
WAIT_S = 25
# A mock waits by itself. Should it not, it is not asked without a break.
BREAK_S = 0.2


@app.command(epilog="Examples:  mockbill worlds watch   |   mockbill worlds watch demo --status 4xx")
def watch(
    name: Annotated[
        str, typer.Argument(envvar="MOCKBILL_WORLD", help="The world's name.", autocompletion=world_names)
    ] = DEMO,
    operation: Operation = None,
    status: Status = None,
    caller: Caller = None,
    problem: Problem = None,
    fault: FaultId = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Print the last requests of a world, and each that follows, until Ctrl-C: its time, number, operation, status, why."""
    query = given(operation=operation, status=status, caller=caller, problem=problem, fault=fault)
    try:
        _follow(Mock(url, token), name, query, _say_raw if as_json else _say_lines)
    except KeyboardInterrupt:
        # This is how it is meant to end.
        return


def _follow(mock: Mock, name: str, query: Query, said: Callable[[Answer[Journal]], None]) -> None:
    answer = _asked(mock, name, {**query, "limit": FIRST})
    before = None
    while True:
        said(answer)
        _say_gap(answer.value, before, is_filtered=bool(query))
        before = since = answer.value.cursor
        if not answer.value.requests:
            threading.Event().wait(BREAK_S)
        answer = _asked(mock, name, {**query, "since": since, "wait": WAIT_S, "limit": MOST})
        if answer.value.cursor < since:
            # The journal began anew.
            answer, before = _asked(mock, name, {**query, "since": 0, "limit": MOST}), 0


def _say_gap(journal: Journal, before: int | None, *, is_filtered: bool) -> None:
    """How many requests came and went unseen between two looks."""
    if before is None:
        return
    came = journal.matched if is_filtered else journal.cursor - before
    if came > len(journal.requests):
        typer.echo(f"mockbill: {came - len(journal.requests)} more requests are not shown", err=True)


def _asked(mock: Mock, name: str, query: Query) -> Answer[Journal]:
    return mock.get(Journal, "worlds", name, "requests", query=query, patience=WAIT_S + PATIENCE_S)


def _say_lines(answer: Answer[Journal]) -> None:
    for line in reversed(answer.value.requests):
        typer.echo(in_a_line(line))


def _say_raw(answer: Answer[Journal]) -> None:
    for entry in reversed(msgspec.json.decode(answer.raw, type=RawEntries).requests):
        say_json(bytes(entry))
