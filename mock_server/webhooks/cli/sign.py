"""`mockbill webhook sign`: the headers that make a body a provider's webhook, or the whole request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mock_server.commands.client import WrongUse

if TYPE_CHECKING:
    from mock_server.webhooks.drafts import Request
    from mock_server.webhooks.headers import Headers
    from mock_server.webhooks.schemes.protocol import Scheme

Form = Literal["headers", "curl", "capture", "json"]
LARGEST_INLINE = 64 * 1024
"""Larger bodies do not stand in a curl command: no shell takes them."""
CONTENT_TYPE = ("Content-Type", "application/json")
NOWHERE = "http://127.0.0.1:8000/"
_PRINTABLE = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*")


def sign(
    provider: Annotated[str, typer.Option(help="Whose signature: `mockbill webhook schemes` lists them.")],
    secret: Annotated[
        str, typer.Option(envvar="MOCKBILL_WEBHOOK_SECRET", show_envvar=True, help="What it is signed with.")
    ],
    body: Annotated[
        str, typer.Argument(metavar="[BODY]", help="The file of the body; `-` reads it from standard input.")
    ] = "-",
    message_id: Annotated[
        str | None,
        typer.Option("--id", help="The message's id; else what the headers or the body say, else one made of it."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The URL that is signed, where the scheme signs one; else that of --to.")
    ] = None,
    at: Annotated[str, typer.Option(metavar="TIME", help="When it is signed: now, seconds, or RFC 3339.")] = "now",
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="For --provider generic; repeatable.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="'NAME: VALUE'", help="A header that goes with it; repeatable.")
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="The headers, a curl command, a capture file, or all as JSON.")
    ] = "headers",
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="MOCKBILL_WEBHOOK_TO", help=f"Where it is to go; {NOWHERE} if left out."),
    ] = None,
) -> None:
    """Sign a body as a provider does. The body is taken byte for byte: a newline at its end is signed too."""
    import msgspec

    from mock_server import machine
    from mock_server.commands import files, tables
    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.captures import LARGEST_BODY
    from mock_server.webhooks.drafts import Draft, signed
    from mock_server.webhooks.schemes.protocol import InvalidMessage, InvalidSecret, Message
    from mock_server.webhooks.targets import InvalidTarget, checked

    from .scheme_options import header_of, scheme_of, seconds_of

    scheme = scheme_of(provider, option)
    now = seconds_of(at, machine.wall() // SECOND)
    try:
        checked(to or NOWHERE, allow_remote=True)
    except InvalidTarget as error:
        raise WrongUse(f"--to: {error}") from None
    raw = files.read(body, LARGEST_BODY)
    given = tuple(map(header_of, header or ()))
    typed = () if any(name.lower() == "content-type" for name, _ in given) else (CONTENT_TYPE,)
    message = Message(raw, url or to or "", _id(given, raw) if message_id is None else message_id)
    try:
        request = signed(Draft(scheme, message, secret, now, (*typed, *given)))
    except (InvalidSecret, InvalidMessage) as error:
        raise WrongUse(str(error)) from None
    to = to or NOWHERE
    if form == "headers":
        for name, value in request.headers[len(typed) + len(given) :]:
            tables.say(f"{name}: {value}")
    elif form == "curl":
        # As it is: on a terminal too it has to be a command that works.
        typer.echo(curl(to, request, None if body == files.STANDARD else body))
    elif form == "json":
        tables.say_json(msgspec.json.encode(_view(scheme, to, request, now)))
    else:
        tables.say_file(_capture(scheme, to, url, request, now))


def curl(to: str, request: Request, file: str | None) -> str:
    """A command for a POSIX shell that sends these very bytes. `file`: where they stand, for what no command line holds."""
    from base64 import b64encode

    words = ["curl", "--request", request.method, _quoted(to)]
    for name, value in request.headers:
        words += ["--header", _quoted(f"{name}: {value}")]
    text = _printable(request.body)
    if text is not None:
        # --data-raw: unlike --data it takes an @ at the beginning for what it is.
        return " ".join([*words, "--data-raw", _quoted(text)])
    if file is not None:
        return " ".join([*words, "--data-binary", _quoted(f"@{file}")])
    return f"base64 -d <<'END' | {' '.join([*words, '--data-binary', '@-'])}\n{b64encode(request.body).decode()}\nEND"


def _printable(body: bytes) -> str | None:
    if len(body) > LARGEST_INLINE:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if _PRINTABLE.fullmatch(text) else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _id(headers: Headers, body: bytes) -> str:
    """The id of the event, as the provider would take it; else one that the same body always gets."""
    import hashlib

    from mock_server.webhooks.capturing.recognising import event_id
    from mock_server.webhooks.json_tokens import parsed

    stated = event_id({name.lower(): value for name, value in headers}, parsed(body))
    if re.fullmatch(r"[!-~]{1,256}", stated):
        return stated
    return f"msg_{hashlib.sha256(body).hexdigest()[:24]}"


def _view(scheme: Scheme, to: str, request: Request, now: int) -> dict[str, Any]:
    from base64 import b64encode

    try:
        body = {"text": request.body.decode()}
    except UnicodeDecodeError:
        body = {"base64": b64encode(request.body).decode()}
    headers: Headers = request.headers
    return {
        "provider": scheme.name,
        "method": request.method,
        "url": to,
        "signed_at": now,
        "headers": headers,
        "body": body,
    }


def _capture(scheme: Scheme, to: str, url: str | None, request: Request, now: int) -> bytes:
    from urllib.parse import urlsplit

    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.captures import Capture, CaptureError, written

    parts = urlsplit(to)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    capture = Capture(
        scheme.name,
        f"signed as {scheme.title}",
        now * SECOND,
        request.method,
        path,
        request.headers,
        request.body,
        url or to,
    )
    try:
        return written(capture)
    except CaptureError as error:
        raise WrongUse(str(error)) from None
