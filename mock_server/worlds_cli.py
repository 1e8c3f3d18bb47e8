"""`mockbill worlds ...`: worlds of a running mock, over its control API."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, NoReturn

import msgspec
import typer

worlds = typer.Typer(
    help="Worlds of a running mock.",
    epilog="Example:  mockbill worlds create --scenario generated --orgs 50 --seed 7",
    no_args_is_help=True,
)

WRONG_USE, UNREACHABLE = 2, 3
PATIENCE_S = 30

Url = Annotated[str, typer.Option(envvar="MOCKBILL_URL", help="Where the mock runs.")]
Token = Annotated[str | None, typer.Option(envvar="MOCKBILL_TOKEN", help="Its control token, if it printed one.")]


@worlds.command(
    epilog="Examples:  mockbill worlds create blue --now 2026-03-01T00:00:00Z   |   "
    "mockbill worlds create --scenario generated --orgs 50 --seed 7"
)
def create(
    name: Annotated[str | None, typer.Argument(help="The new world's name; the scenario's if left out.")] = None,
    scenario: Annotated[str | None, typer.Option(help="What it starts from; the server's default if left out.")] = None,
    orgs: Annotated[
        int | None, typer.Option(min=0, max=1000, help="How many organizations a generated scenario makes up.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same ids and secrets.")] = None,
    now: Annotated[str | None, typer.Option(help="Freeze its clock at this RFC 3339 instant.")] = None,
    url: Url = "http://127.0.0.1:4010",
    token: Token = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the world as JSON.")] = False,
) -> None:
    """Make a world: requests reach it under /w/NAME, with X-Mock-World: NAME, or with @NAME at the end of a secret."""
    wanted = name or (PurePath(scenario).stem if scenario is not None else None)
    if wanted is None:
        _fail("give the world a name, or a scenario to be named after", WRONG_USE)
    body: dict[str, Any] = {"name": wanted}
    given = {"scenario": scenario, "seed": seed, "now": now, "options": None if orgs is None else {"orgs": orgs}}
    body |= {member: value for member, value in given.items() if value is not None}
    made = _post(f"{url.rstrip('/')}/_mock/worlds", body, token)
    if as_json:
        typer.echo(msgspec.json.encode(made).decode())
        return
    typer.echo(f"{made.name}: scenario {made.scenario}, seed {made.seed}, {made.clock.mode} at {made.clock.now}")
    typer.echo(f"{url.rstrip('/')}{made.prefix}")


class ClockShown(msgspec.Struct):
    now: str
    mode: str


class WorldShown(msgspec.Struct):
    """What the control API says of a world."""

    name: str
    scenario: str
    seed: int
    revision: int
    clock: ClockShown
    requests: int
    scheduled: int
    prefix: str


class Refusal(msgspec.Struct):
    message: str
    error_code: str


def _post(url: str, body: dict[str, Any], token: str | None) -> WorldShown:
    """What the control API answers; ends the program where it refuses or cannot be reached."""
    import httpx

    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        answer = httpx.post(url, json=body, headers=headers, timeout=PATIENCE_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _fail(f"no mock answers at {url}: {error}. Start one with: mockbill serve", UNREACHABLE)
    try:
        if not answer.is_error:
            return msgspec.json.decode(answer.content, type=WorldShown)
        _fail(msgspec.json.decode(answer.content, type=Refusal).message, WRONG_USE)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _fail(f"what answers at {url} is no mock. Start one with: mockbill serve", UNREACHABLE)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"mockbill: {message}", err=True)
    raise typer.Exit(code)
