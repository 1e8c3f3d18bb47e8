"""What the commands have in common: how they end, and what they need to be installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import msgspec
import typer

from mock_server.commands.groups import UNREACHABLE, WRONG_USE
from mock_server.commands.tables import fail, table

NEEDED = ("schemathesis", "hypothesis")


def needed() -> None:
    """Ends the command if the extra is not installed."""
    if lacking := missing():
        fail(f"this needs {' and '.join(lacking)}: pip install 'mockbill[contract]'", WRONG_USE)


def missing() -> list[str]:
    """What of the extra is not installed."""
    return [name for name in NEEDED if not _is_there(name)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def ended(command: Callable[[], int]) -> None:
    """Ends the process with what a command gives, and with a message for whatever keeps it from its work."""
    from .discovery import Unreachable
    from .ports import PortError
    from .target import TargetError

    try:
        code = command()
    except TargetError as error:
        fail(str(error), WRONG_USE)
    except (Unreachable, PortError) as error:
        fail(str(error), UNREACHABLE)
    except KeyboardInterrupt:
        fail("interrupted", 130)
    if code:
        raise typer.Exit(code)


def list_laws(wanted: tuple[str, ...], api: str | None, as_json: bool) -> int:
    from .config import APIS, known_api
    from .laws import ALL
    from .runner import chosen
    from .target import TargetError

    known_api(api or APIS[0])
    try:
        laws = chosen(ALL, wanted)
    except ValueError as error:
        raise TargetError(str(error)) from None
    if as_json:
        listed = [
            {
                "id": law.id,
                "family": law.family,
                "title": law.title,
                "clause": law.clause,
                "needs": sorted(law.needs),
            }
            for law in laws
        ]
        typer.echo(msgspec.json.encode({"laws": listed}).decode())
        return 0
    rows = [(law.id, law.title, law.clause, ", ".join(sorted(law.needs)) or "nothing") for law in laws]
    table(("law", "title", "clause", "needs"), rows)
    return 0


def list_mutants(ids: tuple[str, ...], families: tuple[str, ...], as_json: bool) -> int:
    from .mutants.matrix import chosen
    from .target import TargetError

    try:
        mutants = chosen(ids, families)
    except ValueError as error:
        raise TargetError(str(error)) from None
    if as_json:
        listed = [{"id": each.id, "family": each.family, "title": each.title} for each in mutants]
        typer.echo(msgspec.json.encode({"mutants": listed}).decode())
    else:
        table(("mutant", "family", "what is wrong"), [(each.id, each.family, each.title) for each in mutants])
    return 0


def initialize(url: str | None, api: str | None, output: Path, *, force: bool, token: str | None) -> int:
    from .initial import write

    for line in write(url, api or "openapp", output, force=force, token=token):
        sys.stderr.write(f"mockbill: {line}\n")
    typer.echo(str(output))
    return 0
