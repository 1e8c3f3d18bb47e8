"""`mockbill webhook import`: captures out of HAR files, `curl` commands and Stripe's event JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mock_server.commands.client import WrongUse
from mock_server.commands.files import STANDARD
from mock_server.commands.tables import complain, table

from .capture import NO_LONGER_SIGNED, known_provider

if TYPE_CHECKING:
    from mock_server.webhooks.captures import Capture
    from mock_server.webhooks.importing.sources import Imported


class From(StrEnum):
    HAR = "har"
    CURL = "curl"
    STRIPE_EVENT = "stripe-event"


File = Annotated[str, typer.Argument(help="What another tool has saved or copied; - is standard input.")]
Source = Annotated[From | None, typer.Option("--from", help="What it is; guessed from its content if left out.")]
Provider = Annotated[
    str | None, typer.Option(help="Whose webhooks they are; recognised by their signature header if left out.")
]
Secret = Annotated[
    str | None,
    typer.Option(
        envvar="MOCKBILL_WEBHOOK_SECRET", show_envvar=True, help="Signs Stripe events, which have no signature."
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", envvar="MOCKBILL_CAPTURE_OUT", help="Folder for the captures.")]
Redact = Annotated[bool, typer.Option("--redact", help="Replace credentials and personal data in the files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was written as JSON, in one line.")]


def import_(
    file: File,
    source: Source = None,
    provider: Provider = None,
    secret: Secret = None,
    out: Out = Path("captures"),
    redact: Redact = False,
    as_json: AsJson = False,
) -> None:
    """Make captures of webhooks that another tool has kept. Nothing is sent, and no command is executed."""
    from mock_server.webhooks.captures import CaptureError
    from mock_server.webhooks.capturing.folder import CannotStore, Folder
    from mock_server.webhooks.redaction import redacted

    imported = _imported(file, source, known_provider(provider), secret)
    done = [redacted(each) if redact else None for each in imported.captures]
    captures = [
        each if hidden is None else hidden.capture for each, hidden in zip(imported.captures, done, strict=True)
    ]
    folder = Folder(out)
    paths: list[Path] = []
    try:
        folder.prepare()
        for number, each in enumerate(captures, 1):
            paths.append(folder.add(each, number))
    except (CannotStore, CaptureError) as error:
        before = f" {len(paths)} captures were written before" if paths else ""
        raise WrongUse(f"{error}.{before}" if before else str(error)) from None
    _show(captures, paths, as_json=as_json)
    for note in imported.notes:
        complain(note)
    if any(hidden is not None and hidden.warning for hidden in done):
        complain("bodies that are no JSON were looked through for e-mail addresses, card numbers and keys only")
    if any(each.redacted for each in captures):
        complain(NO_LONGER_SIGNED)


def _imported(file: str, source: From | None, provider: str | None, secret: str | None) -> Imported:
    from mock_server import machine
    from mock_server.webhooks.importing.curl import read_curl
    from mock_server.webhooks.importing.har import read_har
    from mock_server.webhooks.importing.sources import ImportProblem, kind_of
    from mock_server.webhooks.importing.stripe_events import read_stripe_events
    from mock_server.webhooks.schemes import UnknownScheme
    from mock_server.webhooks.schemes.protocol import InvalidMessage, InvalidSecret

    name = "standard input" if file == STANDARD else file
    raw, now = _raw(file, name), machine.wall()
    try:
        kind = kind_of(raw) if source is None else source.value
        if kind == From.HAR.value:
            return read_har(raw, now, provider)
        if kind == From.CURL.value:
            return read_curl(raw, now, provider)
        return read_stripe_events(raw, now, secret, provider)
    except UnknownScheme as error:
        raise WrongUse(f"--provider: {error}") from None
    except (ImportProblem, InvalidMessage, InvalidSecret) as error:
        raise WrongUse(f"{name}: {error}") from None


def _raw(file: str, name: str) -> bytes:
    """Not more of it than may be imported."""
    import sys

    from mock_server.webhooks.importing.sources import LARGEST_SOURCE

    try:
        if file == STANDARD:
            raw = sys.stdin.buffer.read(LARGEST_SOURCE + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(LARGEST_SOURCE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WrongUse(f"cannot read {name}: {reason}") from None
    if len(raw) > LARGEST_SOURCE:
        raise WrongUse(f"{name} is larger than {LARGEST_SOURCE} bytes")
    return raw


def _show(captures: list[Capture], paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        rows = [
            {"file": str(path), "provider": each.provider, "title": each.title, "bytes": len(each.body)}
            for each, path in zip(captures, paths, strict=True)
        ]
        typer.echo(msgspec.json.encode({"captures": rows}).decode())
    else:
        table(
            ("file", "provider", "title", "bytes"),
            [
                (str(path), each.provider, each.title, len(each.body))
                for each, path in zip(captures, paths, strict=True)
            ],
        )
