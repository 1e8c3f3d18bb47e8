"""`mockbill requests ...`: what was asked and answered in a world, and why."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from .client import HERE, JSON, PATIENCE_S, Answer, Mock, Query, WrongUse
from .entries import Journal, JournalEntry
from .files import STANDARD, write
from .groups import FINDINGS, group
from .journal import show_entry, show_journal, show_why
from .options import (
    DEMO,
    AsJson,
    Caller,
    FaultId,
    InWorld,
    Limit,
    Operation,
    Problem,
    Since,
    Status,
    Token,
    Url,
    given,
)
from .tables import fail, say_json, say_nothing, show

LONGEST_WAIT_S = 60
MOST = 1000
PROGRAMS = {"curl": "text/x-shellscript", "pytest": "text/x-python"}

app = group("What was asked and answered in a world, and why.", "mockbill requests list --status 4xx")

Number = Annotated[int, typer.Argument(min=1, help="The request's number, as in X-Mock-Request.")]
AtLeast = Annotated[int, typer.Option(min=1, max=MOST, help="How many have to match.")]


@app.command("list", epilog="Example:  mockbill requests list --operation post_org_billing_checkout --status 4xx")
def list_(
    operation: Operation = None,
    status: Status = None,
    caller: Caller = None,
    problem: Problem = None,
    fault: FaultId = None,
    since: Since = None,
    limit: Limit = None,
    wait: Annotated[
        int | None, typer.Option(min=0, max=LONGEST_WAIT_S, help="Wait up to so many seconds until enough match.")
    ] = None,
    at_least: Annotated[
        int | None, typer.Option(min=1, max=MOST, help="How many have to match before --wait is over; 1 if left out.")
    ] = None,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List requests, newest first."""
    query = given(
        operation=operation,
        status=status,
        caller=caller,
        problem=problem,
        fault=fault,
        since=since,
        limit=limit,
        wait=wait,
        at_least=at_least,
    )
    show(_journal(Mock(url, token), world, query, wait or 0), as_json, show_journal)


@app.command("show", epilog="Example:  mockbill requests show 3")
def show_(number: Number, world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Show one request with its answer, what it changed, and why it was refused."""
    show(_entry(Mock(url, token), world, number), as_json, show_entry)


@app.command(epilog="Examples:  mockbill requests why   |   mockbill requests why 3 --world blue")
def why(
    number: Annotated[
        int | None, typer.Argument(min=1, help="The request's number; the newest refusal if left out.")
    ] = None,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Say why a request was refused: by which check and rule, on which facts, and what would be legal."""
    mock = Mock(url, token)
    wanted = _newest_refusal(mock, world) if number is None else number
    answer = _entry(mock, world, wanted)
    if answer.value.explanation is None:
        if as_json:
            say_json(answer.raw)
        fail(f"request {wanted} was not refused: it was answered {answer.value.status}", FINDINGS)
    show(answer, as_json, show_why)


@app.command(epilog="Example:  mockbill requests wait --operation create_zone --status 201 --timeout 10")
def wait(
    operation: Operation = None,
    status: Status = None,
    caller: Caller = None,
    problem: Problem = None,
    fault: FaultId = None,
    since: Since = None,
    at_least: AtLeast = 1,
    timeout: Annotated[int, typer.Option(min=0, max=86_400, help="For how many seconds.")] = 30,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Wait until requests match. Those that came before count too. Exit code 1 if too few match in time."""
    mock, left = Mock(url, token), timeout
    asked = given(operation=operation, status=status, caller=caller, problem=problem, fault=fault, since=since)
    while True:
        turn = min(left, LONGEST_WAIT_S)
        answer = _journal(mock, world, {**asked, "wait": turn, "at_least": at_least}, turn)
        left -= turn
        found = answer.value.matched
        if found >= at_least or left <= 0:
            break
    if found >= at_least:
        show(answer, as_json, show_journal)
        return
    if as_json:
        say_json(answer.raw)
    fail(f"{found or 'nothing'} of {at_least} matched within {timeout} s", FINDINGS)


@app.command(
    epilog="Examples:  mockbill requests export --format curl --status 4xx   |   "
    "mockbill requests export --format har -o session.har"
)
def export(
    format_: Annotated[
        Literal["har", "curl", "pytest", "scenario"],
        typer.Option(
            "--format",
            help="har for browsers and other tools; curl a shell script and pytest a test that ask the same again; "
            "scenario the world as it was before the first of them.",
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Write to this file; - is standard output.", show_default=False)
    ] = STANDARD,
    operation: Operation = None,
    status: Status = None,
    caller: Caller = None,
    problem: Problem = None,
    fault: FaultId = None,
    since: Since = None,
    limit: Limit = None,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Write a slice of the journal as a file, without the keys that were sent."""
    if as_json and format_ in PROGRAMS:
        raise WrongUse(f"--format {format_} is a program and no JSON; leave --json out")
    mock = Mock(url, token)
    query = given(
        format=format_,
        operation=operation,
        status=status,
        caller=caller,
        problem=problem,
        fault=fault,
        since=since,
        limit=limit,
    )
    content = mock.file("worlds", world, "requests", "export", query=query, media_type=PROGRAMS.get(format_, JSON))
    if as_json and output == STANDARD:
        say_json(content)
        return
    write(output, content if content.endswith(b"\n") else content + b"\n")
    if output != STANDARD:
        say_nothing(as_json, f"{world}: {format_} written to {output}")


@app.command(epilog="Example:  mockbill requests clear --world demo")
def clear(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Empty the journal of a world. The numbers of its requests go on from where they are."""
    Mock(url, token).delete("worlds", world, "requests")
    say_nothing(as_json, f"{world}: journal emptied")


def _journal(mock: Mock, world: str, query: Query, wait: int) -> Answer[Journal]:
    return mock.get(Journal, "worlds", world, "requests", query=query, patience=wait + PATIENCE_S)


def _entry(mock: Mock, world: str, number: int) -> Answer[JournalEntry]:
    return mock.get(JournalEntry, "worlds", world, "requests", str(number))


def _newest_refusal(mock: Mock, world: str) -> int:
    lines = _journal(mock, world, {"limit": MOST}, 0).value.requests
    refused = next((line.number for line in lines if line.problem is not None), None)
    return refused or fail(f"nothing was refused in {world}, as far as its journal reaches", FINDINGS)
