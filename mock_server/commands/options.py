"""Options and arguments that many commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from .answers import WorldList
from .client import HERE, Mock, Query, Unreachable, WrongUse

COMPLETION_PATIENCE_S = 1.0
DEMO = "demo"


def world_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """For the shell's completion: the worlds there are, or nothing if nobody can be asked."""
    mock = Mock(ctx.params.get("url") or HERE, ctx.params.get("token"), COMPLETION_PATIENCE_S)
    try:
        names = [world.name for world in mock.get(WorldList, "worlds").value.worlds]
    except (Unreachable, WrongUse):
        return []
    return [name for name in names if name.startswith(incomplete)]


Url = Annotated[str, typer.Option(envvar="MOCKBILL_URL", help="Where the mock runs.")]
Token = Annotated[str | None, typer.Option(envvar="MOCKBILL_TOKEN", help="Its control token, if it printed one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the mock's answer as JSON, in one line.")]

Name = Annotated[str, typer.Argument(help="The world's name.", autocompletion=world_names)]
InWorld = Annotated[
    str,
    typer.Option("--world", "-w", envvar="MOCKBILL_WORLD", help="In which world.", autocompletion=world_names),
]
Api = Annotated[str | None, typer.Option(help="Which API's part of the world; the root API's if left out.")]

Operation = Annotated[str | None, typer.Option(help="Only requests for this operationId.")]
Status = Annotated[str | None, typer.Option(help="Only answers with this status, or of this class: 4xx.")]
Caller = Annotated[str | None, typer.Option(help="Only requests of the caller of this name.")]
Problem = Annotated[str | None, typer.Option(help="Only refusals with this error code.")]
FaultId = Annotated[str | None, typer.Option(help="Only requests on which this fault acted.")]
Since = Annotated[
    int | None, typer.Option(min=0, help="Only what was answered after the journal stood at this cursor (see --json).")
]
Limit = Annotated[int | None, typer.Option(min=0, max=1000, help="List at most so many; 100 if left out.")]


def given(**options: str | int | None) -> Query:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def values(options: Sequence[str] | None) -> dict[str, str]:
    """What several `--option NAME=VALUE` say, the last of a name. Space around a name is not meant. Raises WrongUse."""
    found: dict[str, str] = {}
    for each in options or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise WrongUse("--option is NAME=VALUE, such as signed={time}.{body}")
        found[name.strip()] = value
    return found


NO_OPTION = {"ignore_unknown_options": True}
"""For a command that takes a duration: what begins with a hyphen may be one that goes back, and the mock says why not."""
