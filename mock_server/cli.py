"""`mockbill`: the command line. Exit codes: 0 fine, 1 findings, 2 wrong use, 3 server unreachable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import mock_server
from contracts.cli import app as contract
from mock_server.commands import GROUPS
from mock_server.webhooks.cli import webhook

app = typer.Typer(
    name="mockbill",
    help="A stateful mock server for billing APIs.",
    no_args_is_help=True,
    add_completion=True,
    epilog="Example:  mockbill serve --port 4010",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
spec = typer.Typer(
    help="The OpenAPI documents that are served.",
    epilog="Example:  mockbill spec bundle --api openapp",
    no_args_is_help=True,
)
app.add_typer(spec, name="spec")
for name, group in GROUPS.items():
    app.add_typer(group, name=name)
app.add_typer(contract, name="contract")
app.add_typer(webhook, name="webhook")

FINDINGS, WRONG_USE = 1, 2


def fail(message: str, code: int = WRONG_USE) -> NoReturn:
    typer.echo(f"mockbill: {message}", err=True)
    raise typer.Exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mockbill {mock_server.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """A stateful mock server for billing APIs."""


@app.command(
    epilog="Examples:  mockbill serve   |   mockbill serve --port 0 --scenario ./mine.yaml --quiet",
)
def serve(
    host: Annotated[str, typer.Option(envvar="MOCKBILL_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="MOCKBILL_PORT", min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = 4010,
    root_api: Annotated[
        str, typer.Option(envvar="MOCKBILL_ROOT_API", help="The API that is also served at the root.")
    ] = "openapp",
    scenario: Annotated[
        str, typer.Option(envvar="MOCKBILL_SCENARIO", help="What worlds start from: a name, or a YAML file.")
    ] = "demo",
    auto_worlds: Annotated[
        bool, typer.Option("--auto-worlds", envvar="MOCKBILL_AUTO_WORLDS", help="Create worlds that requests name.")
    ] = False,
    public_url: Annotated[
        str | None, typer.Option(envvar="MOCKBILL_PUBLIC_URL", help="How clients reach this server, for links.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", envvar="MOCKBILL_STRICT", help="Refuse unknown query parameters and API keys in Authorization."
        ),
    ] = False,
    allow_remote: Annotated[
        bool,
        typer.Option("--allow-remote", envvar="MOCKBILL_ALLOW_REMOTE", help="Let webhooks go to other machines too."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", envvar="MOCKBILL_QUIET", help="No line per request.")] = False,
) -> None:
    """Start the mock. It keeps its state in memory and forgets it when it stops."""
    from mock_server import machine
    from mock_server.app import UnknownApi, create_app, create_mock
    from mock_server.bundles import BundleError
    from mock_server.fixtures import FixtureError
    from mock_server.http.addressing import is_loopback, is_public_url
    from mock_server.http.mock import Options
    from mock_server.serve import CannotListen, announcement, listen, run

    if public_url is not None and not is_public_url(public_url):
        fail(f"--public-url {public_url!r} is not of the form http://host[:port][/path] or https://...")
    options = Options(
        root_api=root_api,
        scenario=scenario,
        strict=strict,
        auto_worlds=auto_worlds,
        public_url=public_url,
        control_token=None if is_loopback(host) else machine.fresh_token(),
        allow_remote=allow_remote,
    )
    try:
        mock = create_mock(options)
        application = create_app(mock)
        application.prepare()
        listener = listen(host, port)
    except (FixtureError, UnknownApi, BundleError, CannotListen) as error:
        fail(str(error))

    def on_ready(url: str) -> None:
        typer.echo(announcement(mock, public_url or url), err=True)
        # The one line on standard output: for scripts that start the server and wait for it.
        typer.echo(f"MOCKBILL_READY url={url} port={listener.getsockname()[1]}")
        sys.stdout.flush()

    run(application, mock, listener, on_ready, quiet=quiet)


@spec.command("bundle", epilog="Example:  mockbill spec bundle --api openapp -o openapp.json")
def spec_bundle(
    api: Annotated[str, typer.Option(help="Which API's document.")] = "openapp",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead.")] = None,
) -> None:
    """Print one API's OpenAPI document, put together into one JSON file with named schemas."""
    data = _bundle(api)
    try:
        if output is None:
            sys.stdout.buffer.write(data + b"\n")
            sys.stdout.buffer.flush()
        else:
            output.write_bytes(data + b"\n")
    except OSError as error:
        if output is None:
            # Else the interpreter would complain again when it closes the stream.
            sys.stdout = None
        fail(f"cannot write {output or 'to standard output'}: {error.strerror}")


@spec.command("lint", epilog="Example:  mockbill spec lint --api openapp")
def spec_lint(api: Annotated[str, typer.Option(help="Which API's document.")] = "openapp") -> None:
    """Check that a document is valid and that implementations of it can be tested against it."""
    import json

    from mock_server.lint import lint

    findings = lint(json.loads(_bundle(api)))
    for finding in findings:
        typer.echo(str(finding))
    if findings:
        raise typer.Exit(FINDINGS)
    typer.echo(f"{api}: no findings", err=True)


def _bundle(api: str) -> bytes:
    from mock_server import bundles

    if api not in bundles.names():
        fail(f"there is no API {api!r}; there are: {', '.join(bundles.names())}")
    try:
        return bundles.load(api)
    except bundles.BundleError as error:
        fail(str(error))


if __name__ == "__main__":
    app(prog_name="mockbill")
