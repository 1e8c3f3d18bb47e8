"""`mockbill webhook verify`: does the signature fit, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mock_server.commands.client import WrongUse
from mock_server.commands.groups import FINDINGS, WRONG_USE

if TYPE_CHECKING:
    from mock_server.webhooks.diagnosis import Diagnosis
    from mock_server.webhooks.schemes.protocol import Message, Scheme

RAW = "raw"


class Given(msgspec.Struct, frozen=True):
    """A request to look at. `received_at` in seconds, None where nobody wrote it down."""

    name: str
    provider: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    path: str = "/"
    url: str = ""
    received_at: int | None = None
    redacted: bool = False


def verify(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="A capture; `-` reads it from standard input.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            envvar="MOCKBILL_WEBHOOK_SECRET", show_envvar=True, help="The secret; repeatable: any of them may fit."
        ),
    ] = None,
    old_secret: Annotated[
        list[str] | None,
        typer.Option(
            envvar="MOCKBILL_WEBHOOK_OLD_SECRET", show_envvar=True, help="One that is not used any more; repeatable."
        ),
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Whose signature it is; else what the capture says, else what its headers show.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="For --provider generic; repeatable.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it is judged: received (as captured; the default), now, or a moment."),
    ] = None,
    tolerance: Annotated[
        int | None,
        typer.Option(min=0, max=10**9, help="Seconds that a signature may be old; 0: any. Else the provider's own."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The URL that the provider called, for those that sign it (Square).")
    ] = None,
    message_id: Annotated[str, typer.Option("--id", help="The message's id, where no header has it.")] = "",
    computed: Annotated[
        str | None, typer.Option(help="The signature that your own code computes: says what it does differently.")
    ] = None,
    body: Annotated[
        str | None, typer.Option(help="Instead of a capture: a file with the raw body, `-` for stdin.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="'NAME: VALUE'", help="A header that goes with --body; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole diagnosis as JSON.")] = False,
) -> None:
    """Say whether a webhook's signature fits, and if it does not, why, and what to change.

    Exit code 0 if it fits, 1 if it does not. No secret is shown, and of signatures only the beginning.
    """
    from mock_server import machine
    from mock_server.commands.tables import fail
    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.diagnosis import diagnose
    from mock_server.webhooks.schemes.protocol import Message, Verified

    from .scheme_options import seconds_of
    from .verify_shown import Judged, show, show_json

    given = _given(file, body, header or [])
    headers = _joined(given.headers)
    secrets, old = [*(secret or [])], [*(old_secret or [])]
    moment = at or ("now" if given.received_at is None else "received")
    if moment == "received" and given.received_at is None:
        raise WrongUse("--at received is for captures: a raw body has no time")
    now = given.received_at if moment == "received" and given.received_at is not None else None
    now = seconds_of(moment, machine.wall() // SECOND) if now is None else now
    called = url or given.url
    scheme, guessed = _scheme(provider, option or [], given, headers, secrets, Message(given.body, called, message_id))
    if computed is not None and not _is_signature(computed):
        raise WrongUse("--computed is no signature: give the hexadecimal or base64 text that your code compares")
    found = diagnose(
        scheme,
        Message(given.body, called, message_id),
        headers,
        secrets,
        now,
        tolerance,
        old=old,
        urls=(*([given.url] if given.url and given.url != called else []), *_called(headers, given.path)),
        computed=computed or "",
    )
    judged = Judged(
        given.name, found, moment, has_secret=bool(secrets), guessed=guessed, computed=computed, redacted=given.redacted
    )
    show_json(judged) if as_json else show(judged)
    if not secrets:
        fail("to judge it, give --secret or MOCKBILL_WEBHOOK_SECRET", WRONG_USE)
    if not isinstance(found.verdict, Verified) or (computed is not None and _differs(found)):
        raise typer.Exit(FINDINGS)


def _differs(found: Diagnosis) -> bool:
    from mock_server.webhooks.diagnosis.diagnose import SAME

    return SAME not in found.notes


def _given(file: str | None, body: str | None, headers: list[str]) -> Given:
    from mock_server.commands import files
    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.captures import LARGEST_BODY, LARGEST_FILE, CaptureError, read_capture

    from .scheme_options import header_of

    if (file is None) == (body is None):
        raise WrongUse("give a capture's file, or --body with --header; one of the two")
    if body is not None:
        raw = files.read(body, LARGEST_BODY)
        return Given(RAW, "unknown", tuple(map(header_of, headers)), raw)
    assert file is not None
    if headers:
        raise WrongUse("--header goes with --body: a capture has its own headers")
    name = "standard input" if file == files.STANDARD else file
    raw = files.read(file, LARGEST_FILE)
    try:
        it = read_capture(raw, name)
    except CaptureError as error:
        raise WrongUse(f"{error}. Is it a raw body? Then: --body {file} --header 'Name: value'") from None
    return Given(
        name,
        it.provider,
        it.headers,
        it.body,
        it.path,
        it.url,
        it.received_at // SECOND,
        it.redacted,
    )


def _joined(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """By their names in lower case; one that stands there twice becomes one with a comma, as servers do it."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _scheme(
    provider: str | None,
    options: list[str],
    given: Given,
    headers: dict[str, str],
    secrets: list[str],
    message: Message,
) -> tuple[Scheme, bool]:
    """The scheme, and whether it was guessed from the headers."""
    from mock_server.webhooks.diagnosis import detected
    from mock_server.webhooks.schemes import schemes
    from mock_server.webhooks.schemes.protocol import Verified

    from .scheme_options import scheme_of

    name = provider or ("generic" if options else given.provider)
    if name != "unknown":
        return scheme_of(name, options), False
    found = detected(headers)
    if not found:
        raise WrongUse(f"no header shows whose signature it is; say it: --provider {'|'.join(schemes())}")
    fits = (each for each in found if isinstance(each.verify(message, headers, secrets, 0, 0), Verified))
    return next(fits, found[0]), True


def _called(headers: dict[str, str], path: str) -> list[str]:
    """The URLs that the request itself names, as a proxy passed them on and as the server saw them."""
    hosts = [headers.get("x-forwarded-host", ""), headers.get("host", "")]
    first = headers.get("x-forwarded-proto", "https").partition(",")[0].strip() or "https"
    schemes = dict.fromkeys((first, "https", "http"))
    hosts = [host.partition(",")[0].strip() for host in hosts if host]
    return [f"{scheme}://{host}{path}"[:2048] for host in dict.fromkeys(hosts) for scheme in schemes]


def _is_signature(text: str) -> bool:
    from mock_server.webhooks.diagnosis.evidence import token_of

    return bool(token_of(text))
