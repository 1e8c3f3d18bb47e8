"""`mockbill worlds save` and `load`: a world as a file, in a form that can be compared and kept under version control."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from .answers import Health, State, World
from .client import HERE, LONG_PATIENCE_S, NAME, Answer, Mock, Refused, Unreachable, WrongUse
from .files import STANDARD, read, write
from .options import AsJson, Name, Token, Url, given
from .tables import complain, say, say_json, show
from .worlds import app, say_world

FORMAT = 1
BAD_REQUEST = 400


class Version(msgspec.Struct, frozen=True):
    """What every saved world begins with, whatever its format."""

    mockbill_save: int


class Saved(msgspec.Struct, frozen=True):
    """A saved world."""

    mockbill_save: int
    states: list[msgspec.Raw]
    scenario: str | None = None


class StateHead(msgspec.Struct, frozen=True):
    """Whose state it is."""

    api: str


@app.command(epilog="Examples:  mockbill worlds save demo   |   mockbill worlds save demo -o tests/worlds/start.json")
def save(
    name: Name,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The file; NAME.json if left out, - for standard output.")
    ] = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Write a world into a file: all that its APIs know, its clock and its seed. `load` makes a world of it again."""
    mock = Mock(url, token)
    world = mock.get(World, "worlds", name)
    apis = [api.name for api in mock.get(Health, "health").value.apis]
    states = [
        mock.get(State, "worlds", name, "state", query={"api": api}, patience=LONG_PATIENCE_S).raw for api in apis
    ]
    content = _canonical(world.value.scenario, states)
    target = f"{name}.json" if output is None else output
    if target == STANDARD and as_json:
        say_json(content)
        return
    write(target, content)
    if target != STANDARD:
        show(world, as_json, lambda _: say(f"{name}: saved to {target}"))


@app.command(epilog="Examples:  mockbill worlds load demo.json   |   mockbill worlds load demo.json blue --replace")
def load(
    file: Annotated[str, typer.Argument(help="What `mockbill worlds save` wrote; - for standard input.")],
    name: Annotated[str | None, typer.Argument(help="The world's name; the file's if left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put it into a world that exists.")] = False,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a world of a file that `mockbill worlds save` wrote."""
    saved = _saved(file, read(file))
    wanted = name or Path(file).stem
    if not NAME.fullmatch(wanted):
        raise WrongUse(
            f"give the world a name after {file}, because {wanted!r} is none: letters a to z, digits and hyphens"
        )
    mock = Mock(url, token)
    world = _put(mock, wanted, saved) if replace else _made(mock, wanted, saved)
    show(world, as_json, say_world)


def _canonical(scenario: str, states: list[bytes]) -> bytes:
    """Sorted and indented, so that two of them can be compared line by line."""
    whole = {"mockbill_save": FORMAT, "scenario": scenario, "states": [msgspec.json.decode(state) for state in states]}
    return msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2) + b"\n"


def _saved(file: str, content: bytes) -> Saved:
    try:
        version = msgspec.json.decode(content, type=Version).mockbill_save
        if version > FORMAT:
            raise WrongUse(
                f"{file} was written by a later mockbill: its format is {version}, and this one reads {FORMAT}"
            )
        saved = msgspec.json.decode(content, type=Saved)
    except msgspec.ValidationError as error:
        raise WrongUse(f"{file} is not what `mockbill worlds save` writes: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongUse(f"{file} is not JSON: {error}") from None
    if version < FORMAT or not saved.states:
        raise WrongUse(f"{file} is not what `mockbill worlds save` writes: it holds no state of format {FORMAT}")
    return saved


def _made(mock: Mock, name: str, saved: Saved) -> Answer[World]:
    _created(mock, name, saved.scenario)
    try:
        return _put(mock, name, saved)
    except BaseException:
        _forgotten(mock, name)
        raise


def _created(mock: Mock, name: str, scenario: str | None) -> None:
    try:
        mock.post(World, "worlds", body=given(name=name, scenario=scenario))
    except Refused as error:
        if scenario is None or error.status != BAD_REQUEST:
            raise
        # The mock does not know that scenario. All that it would give is put in its place anyway.
        mock.post(World, "worlds", body={"name": name})


def _forgotten(mock: Mock, name: str) -> None:
    try:
        mock.delete("worlds", name)
    except (WrongUse, Unreachable) as error:
        complain(f"{name} was made, but not filled, and cannot be deleted again: {error}")


def _put(mock: Mock, name: str, saved: Saved) -> Answer[World]:
    done: list[str] = []
    answer: Answer[World] | None = None
    for state in saved.states:
        try:
            api = msgspec.json.decode(state, type=StateHead).api
            answer = mock.put(World, "worlds", name, "state", body=bytes(state))
        except msgspec.MsgspecError as error:
            raise _not_put("a state of no API", name, str(error), done) from None
        except Refused as error:
            raise _not_put(f"the state of {api}", name, str(error), done) from None
        done.append(api)
    assert answer is not None
    return answer


def _not_put(what: str, name: str, why: str, done: list[str]) -> WrongUse:
    before = f" What {', '.join(done)} knows was put in before." if done else ""
    return WrongUse(f"{what} cannot be put into {name}: {why}{before}")
