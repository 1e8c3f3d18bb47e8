"""`mockbill clock ...`: a world's time."""

from __future__ import annotations

from typing import Annotated

import typer

from .answers import Agenda, Clock, ClockMoved
from .client import HERE, LONG_PATIENCE_S, Mock
from .groups import group
from .moves import show_move
from .options import DEMO, NO_OPTION, AsJson, InWorld, Limit, Token, Url, given
from .tables import say, show, table

app = group("The time of a world of a running mock.", "mockbill clock advance P31D --world demo")


@app.command("show", epilog="Example:  mockbill clock show --world demo")
def show_(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Show a world's time, and whether it runs or stands."""
    show(Mock(url, token).get(Clock, "worlds", world, "clock"), as_json, lambda now: say(f"{now.now}, {now.mode}"))


@app.command(epilog="Example:  mockbill clock advance P31D --world demo", context_settings=NO_OPTION)
def advance(
    duration: Annotated[str, typer.Argument(help="An ISO 8601 duration: P31D, P6M, PT12H.")],
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let time pass. All that falls due until then happens, in order, and is listed."""
    _move(Mock(url, token), world, {"advance": duration}, as_json)


@app.command("set", epilog="Example:  mockbill clock set 2026-04-01T00:00:00Z --world demo")
def set_(
    instant: Annotated[str, typer.Argument(help="An RFC 3339 instant, not before the world's time.")],
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let time pass up to an instant. To go back, fork or take a snapshot before."""
    _move(Mock(url, token), world, {"set": instant}, as_json)


@app.command(epilog="Example:  mockbill clock step --world demo")
def step(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Let time pass up to the next thing that falls due."""
    _move(Mock(url, token), world, {"step": True}, as_json)


@app.command(epilog="Example:  mockbill clock freeze --world demo")
def freeze(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Let a world's time stand still."""
    _move(Mock(url, token), world, {"mode": "frozen"}, as_json)


@app.command(epilog="Example:  mockbill clock run --world demo")
def run(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Let a world's time run with the machine's."""
    _move(Mock(url, token), world, {"mode": "running"}, as_json)


@app.command(epilog="Examples:  mockbill clock agenda   |   mockbill clock agenda --within P6M --world demo")
def agenda(
    within: Annotated[
        str | None,
        typer.Option(help="Look ahead as far as this ISO 8601 duration reaches, with all that follows on the way."),
    ] = None,
    limit: Limit = None,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List what will fall due in a world, when, why, and what will come of it. Nothing changes."""
    query = given(within=within, limit=limit)
    answer = Mock(url, token).get(Agenda, "worlds", world, "clock", "agenda", query=query, patience=LONG_PATIENCE_S)
    show(answer, as_json, _ahead)


def _move(mock: Mock, world: str, how: dict[str, str | bool], as_json: bool) -> None:
    show(mock.post(ClockMoved, "worlds", world, "clock", body=how, patience=LONG_PATIENCE_S), as_json, show_move)


def _ahead(found: Agenda) -> None:
    if not found.ahead:
        say(f"nothing will fall due{'' if found.until is None else f' until {found.until}'}")
    if found.items:
        table(
            ("at", "in", "what", "outcome", "cause"),
            [(item.at, item.away, item.job, item.outcome, item.cause) for item in found.items],
        )
    if found.cut:
        say(f"and {found.ahead - len(found.items)} more")
