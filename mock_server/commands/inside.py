"""`mockbill worlds settings`, `credentials`, `usage`, `audit`: what a world holds."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
import typer

from .answers import ConsumedUsage, CredentialList, Settings
from .client import HERE, LONG_PATIENCE_S, Mock, WrongUse
from .entries import Audit, AuditedWrite
from .groups import FINDINGS
from .options import Api, AsJson, Name, Token, Url, given
from .tables import compact, pairs, say, show, table
from .worlds import app

INTEGER = re.compile(r"-?[0-9]{1,15}")
TRUTHS = {"true": True, "false": False}


@app.command(
    epilog="Examples:  mockbill worlds settings demo   |   mockbill worlds settings demo checkout=hosted warn_days=3"
)
def settings(
    name: Name,
    changes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Switches to turn, as many as you like; without any the switches are shown. "
            "true, false and whole numbers are taken as such, unless they stand in double quotes.",
        ),
    ] = None,
    api: Api = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show the switches of a world, or turn some of them."""
    mock, path, query = Mock(url, token), ("worlds", name, "settings"), given(api=api)
    body = dict(map(_switch, changes or ()))
    answer = mock.patch(Settings, *path, body=body, query=query) if body else mock.get(Settings, *path, query=query)
    show(answer, as_json, lambda now: pairs((key, compact(value)) for key, value in now.settings.items()))


@app.command(epilog="Example:  mockbill worlds credentials demo")
def credentials(name: Name, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """List the keys of a world, ready to paste."""
    show(Mock(url, token).get(CredentialList, "worlds", name, "credentials"), as_json, _keys)


@app.command(
    epilog="Example:  mockbill worlds usage demo --org 01J9ZC3M4N5P6Q7R8S9T0V1W2X --key door_opens --amount 49"
)
def usage(
    name: Name,
    org: Annotated[str, typer.Option(help="The id of the organization whose quota it is.")],
    key: Annotated[str, typer.Option(help="Which quota.")],
    amount: Annotated[int, typer.Option(min=1, help="How much of it, in its unit.")],
    session: Annotated[
        str | None, typer.Option(help="Which session, where the quota is counted for each session.")
    ] = None,
    api: Api = None,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Use up some of a metered quota, as if that much had happened."""
    body = {"org": org, "key": key, "amount": amount, **given(session=session, api=api)}
    show(Mock(url, token).post(ConsumedUsage, "worlds", name, "usage", body=body), as_json, _windows)


@app.command(epilog="Example:  mockbill worlds audit demo")
def audit(name: Name, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Look for writes whose answers were lost, and what their repetitions did. Exit code 1 if work was done twice."""
    answer = Mock(url, token).get(Audit, "worlds", name, "audit", patience=LONG_PATIENCE_S)
    show(answer, as_json, _audited)
    if answer.value.done_twice:
        raise typer.Exit(FINDINGS)


def _switch(pair: str) -> tuple[str, Any]:
    key, equals, value = pair.partition("=")
    if not equals or not key:
        raise WrongUse(f"{pair!r} is not of the form KEY=VALUE")
    if INTEGER.fullmatch(value):
        return key, int(value)
    if value.startswith('"'):
        try:
            return key, msgspec.json.decode(value, type=str)
        except msgspec.MsgspecError as error:
            raise WrongUse(f"the value of {key!r} begins with a double quote but is no JSON string: {error}") from None
    return key, TRUTHS.get(value, value)


def _keys(keys: CredentialList) -> None:
    table(
        ("secret", "name", "role", "org", "permissions", "revoked", "api", "token"),
        [
            (key.secret, key.name, key.role, key.org, " ".join(key.permissions), key.revoked, key.api, key.token)
            for key in keys.credentials
        ],
    )


def _windows(used: ConsumedUsage) -> None:
    heads = list(dict.fromkeys(head for window in used.usage for head in window))
    if heads:
        table(heads, [[compact(window.get(head)) for head in heads] for window in used.usage])


def _audited(found: Audit) -> None:
    if found.writes:
        table(("request", "operation", "what happened", "verdict", "again", "prevention"), map(_write, found.writes))
    say(f"{found.done_twice} done twice, {found.harmless} harmless, {found.not_repeated} not repeated")


def _write(write: AuditedWrite) -> tuple[int | str, ...]:
    again = ", ".join(f"{repeat.number} ({repeat.status})" for repeat in write.repeats)
    verdict = write.verdict.replace("_", " ")
    return write.number, write.operation, write.trouble, verdict, again, write.prevention
