"""`mockbill webhook capture` and `redact`: webhooks kept as files, byte for byte, and made fit to be shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mock_server.commands.client import WrongUse
from mock_server.commands.files import STANDARD, write
from mock_server.commands.tables import clean, complain, say

if TYPE_CHECKING:
    from mock_server.webhooks.capturing.passing import BaseUrl

Port = Annotated[
    int,
    typer.Option(envvar="MOCKBILL_CAPTURE_PORT", min=0, max=65535, help="Port to listen on; 0 takes any free one."),
]
Forward = Annotated[
    str | None,
    typer.Option(
        envvar="MOCKBILL_CAPTURE_FORWARD",
        help="Your application's webhook URL. A request to / goes to that very URL, one to /PATH to URL/PATH; queries are "
        "kept. Left out: every request is answered with 200.",
    ),
]
Out = Annotated[
    Path, typer.Option("--out", "-o", envvar="MOCKBILL_CAPTURE_OUT", help="Folder for the files, one per request.")
]
Host = Annotated[str, typer.Option(envvar="MOCKBILL_CAPTURE_HOST", help="Address to listen on.")]
Provider = Annotated[
    str | None, typer.Option(help="Whose webhooks they are; recognised by their signature header if left out.")
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        envvar="MOCKBILL_CAPTURE_PUBLIC_URL",
        help="The URL that the provider calls to reach / here, such as a tunnel's; Square signs it. Taken from each "
        "request's headers if left out.",
    ),
]
Redact = Annotated[
    bool,
    typer.Option(
        "--redact", help="Replace credentials and personal data in the files. What is passed on stays as it came."
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many captures.")]
Timeout = Annotated[
    float, typer.Option(min=0.05, max=600, help="Seconds that the application has to answer; then 504.")
]
Remote = Annotated[
    bool, typer.Option("--allow-remote", envvar="MOCKBILL_ALLOW_REMOTE", help="Let --forward lead to another machine.")
]
Files = Annotated[list[str], typer.Argument(help="Captures; - is standard input.")]
InPlace = Annotated[bool, typer.Option("--in-place", help="Put the redacted ones in the place of the files.")]
RedactedOut = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write the redacted ones to this folder, under the same names.")
]

NO_LONGER_SIGNED = "what is marked as redacted does not fit its signature any more: replay it with --resign"


def capture(
    port: Port = 4020,
    forward: Forward = None,
    out: Out = Path("captures"),
    host: Host = "127.0.0.1",
    provider: Provider = None,
    public_url: PublicUrl = None,
    redact: Redact = False,
    limit: Limit = None,
    timeout: Timeout = 30.0,
    allow_remote: Remote = False,
) -> None:
    """Keep every webhook that comes as a file, pass it on, and give the application's answer back.

    Body, headers with their order and case, path and time are kept as they came. A file is written before its request is
    passed on, so a crash loses none. Stop with Ctrl-C.
    """
    from mock_server import machine
    from mock_server.serve import CannotListen, base_url, listen
    from mock_server.webhooks.capturing.folder import CannotStore, Folder
    from mock_server.webhooks.capturing.passing import is_at
    from mock_server.webhooks.capturing.recording import Options, Recorder
    from mock_server.webhooks.capturing.serving import run

    options = Options(
        _target(forward, "--forward", allow_remote=allow_remote),
        _target(public_url, "--public-url", allow_remote=True),
        known_provider(provider),
        redact,
        limit,
        timeout,
    )
    folder = Folder(out)
    try:
        folder.prepare()
        listener = listen(host, port)
    except (CannotStore, CannotListen) as error:
        raise WrongUse(str(error)) from None

    if options.forward is not None and is_at(options.forward, *listener.getsockname()[:2]):
        listener.close()
        raise WrongUse("--forward is the address that this listens at: webhooks would go round in circles")

    def tell(line: str) -> None:
        typer.echo(clean(line), err=True)

    recorder = Recorder(folder, options, tell, machine.wall, machine.stopwatch)

    def on_ready() -> None:
        url = base_url(listener)
        tell(f"capturing at {url} into {out}/, {_where(options.forward)}")
        if redact:
            tell(NO_LONGER_SIGNED)
        typer.echo(f"MOCKBILL_READY url={url} port={listener.getsockname()[1]}")

    run(recorder, listener, on_ready)
    tell(f"captured: {recorder.captured}, in {out}/")


def _where(target: BaseUrl | None) -> str:
    return "answering 200" if target is None else f"passing on to {target.origin}{target.path or '/'}"


def _target(url: str | None, option: str, *, allow_remote: bool) -> BaseUrl | None:
    from mock_server.webhooks.capturing.passing import base_of
    from mock_server.webhooks.targets import InvalidTarget, RemoteTarget

    if url is None:
        return None
    try:
        return base_of(url, allow_remote=allow_remote)
    except InvalidTarget as error:
        raise WrongUse(f"{option} is no URL that can be called: {error}") from None
    except RemoteTarget as error:
        raise WrongUse(f"{option}: {error}. --allow-remote lets webhooks leave this machine") from None


def known_provider(name: str | None) -> str | None:
    """Raises WrongUse."""
    from mock_server.webhooks.captures import UNKNOWN
    from mock_server.webhooks.schemes import UnknownScheme, scheme_named

    if name is not None and name != UNKNOWN:
        try:
            scheme_named(name)
        except UnknownScheme as error:
            raise WrongUse(f"--provider: {error}, {UNKNOWN}") from None
    return name


def redact(files: Files, in_place: InPlace = False, out: RedactedOut = None) -> None:
    """Replace credentials and personal data in captures by stand-ins of the same shape.

    Names, e-mail addresses, phone numbers, addresses, card numbers, tokens and cookies, in headers, URL and body. Free text
    is looked through for e-mail addresses, card numbers and keys only: read the result before you give it away.
    """
    from mock_server.webhooks.captures import LARGEST_FILE, Capture, CaptureError, load_capture, read_capture, written
    from mock_server.webhooks.redaction import Redaction, redacted

    if in_place == (out is not None) and (in_place or files != [STANDARD]):
        raise WrongUse("say where the redacted ones go: --out FOLDER, or --in-place for the files themselves")

    def loaded(name: str) -> Capture:
        try:
            if name == STANDARD:
                return read_capture(sys.stdin.buffer.read(LARGEST_FILE + 1), "standard input")
            return load_capture(Path(name))
        except CaptureError as error:
            raise WrongUse(str(error)) from None

    def place(name: str) -> Path | None:
        return None if name == STANDARD else Path(name) if out is None else out / Path(name).name

    # All are read before any is written, so that a bad one leaves no work half done.
    done: list[tuple[str, Path | None, Redaction]] = [(each, place(each), redacted(loaded(each))) for each in files]
    places = [each for _, each, _ in done]
    if len(set(places)) < len(places):
        raise WrongUse("two of the files have the same name")
    if out is not None:
        taken = next((each for each in places if each is not None and each.exists()), None)
        if STANDARD in files or taken is not None:
            raise WrongUse("standard input has no name for --out" if taken is None else f"{taken} is there already")
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongUse(f"cannot write to {out}: {error.strerror}") from None
    for name, where, each in done:
        write(STANDARD if where is None else str(where), written(each.capture))
        if each.warning:
            complain(f"{name}: {each.warning}")
        if where is not None:
            say(f"{where}: {', '.join(each.replaced) or 'nothing to replace'}")
    if any(each.capture.redacted for _, _, each in done):
        complain(NO_LONGER_SIGNED)
