"""`mockbill webhook gauntlet`: what an application makes of hostile webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mock_server.commands.client import Unreachable, WrongUse
from mock_server.commands.groups import FINDINGS

from .scheme_options import scheme_of

if TYPE_CHECKING:
    from mock_server.webhooks.gauntlet.judging import Result, Rules
    from mock_server.webhooks.gauntlet.scorecard import Scorecard
    from mock_server.webhooks.gauntlet.variant import Situation, Variant
    from mock_server.webhooks.headers import Headers
    from mock_server.webhooks.schemes.protocol import Scheme

# What belongs to a connection or to the signature, and is made anew.
NOT_TAKEN_ALONG = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "expect",
    "accept-encoding",
)

To = Annotated[str, typer.Option("--to", envvar="MOCKBILL_WEBHOOK_TO", help="The URL of your webhook endpoint.")]
Provider = Annotated[str, typer.Option(help="Whose signatures it expects: stripe, paddle, svix, generic, ...")]
Secret = Annotated[
    str, typer.Option(envvar="MOCKBILL_WEBHOOK_SECRET", show_envvar=True, help="The secret that it verifies them with.")
]
NewSecret = Annotated[
    str | None,
    typer.Option(envvar="MOCKBILL_WEBHOOK_NEW_SECRET", help="A second one that it accepts, as during a rotation."),
]
EventFile = Annotated[str | None, typer.Option("--event", help="A capture, or a JSON body, to send in place of ours.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="For --provider generic; repeatable.")
]
Signed = Annotated[
    str | None, typer.Option(help="The URL that it is subscribed with, if the scheme signs it; --to if left out.")
]
Only = Annotated[list[str] | None, typer.Option(help="Only this variant; repeatable, `*` for any letters.")]
Skip = Annotated[list[str] | None, typer.Option(help="Not this variant; repeatable, `*` for any letters.")]
Accept = Annotated[str, typer.Option(help="Which statuses mean that it accepts: 2xx, or 200,202.")]
Refuse = Annotated[str, typer.Option(help="Which statuses mean that it refuses.")]
Timeout = Annotated[float, typer.Option(min=0.05, max=600, help="Seconds to wait for each answer.")]
Remote = Annotated[bool, typer.Option("--allow-remote", envvar="MOCKBILL_ALLOW_REMOTE", help="Let --to be elsewhere.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Chooses ids and the bit that is flipped; drawn if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the scorecard as JSON.")]
JUnit = Annotated[str | None, typer.Option(help="Write the scorecard as JUnit XML to this file.")]


def gauntlet(
    to: To,
    provider: Provider,
    secret: Secret,
    new_secret: NewSecret = None,
    event: EventFile = None,
    option: Options = None,
    notification_url: Signed = None,
    only: Only = None,
    skip: Skip = None,
    accept: Accept = "2xx",
    refuse: Refuse = "4xx",
    timeout: Timeout = 10.0,
    allow_remote: Remote = False,
    seed: Seed = None,
    as_json: AsJson = False,
    junit: JUnit = None,
) -> None:
    """Send hostile and unusual webhooks to an application, and show which of them it takes as it should.

    Exit code 1 if it takes one otherwise, 3 if nothing answers.
    """
    import asyncio

    from mock_server import machine
    from mock_server.commands import files, tables
    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.gauntlet import scorecard
    from mock_server.webhooks.gauntlet.catalog import UnknownVariant, chosen
    from mock_server.webhooks.gauntlet.judging import Rules
    from mock_server.webhooks.gauntlet.statuses import InvalidStatuses, statuses_of
    from mock_server.webhooks.gauntlet.variant import Situation
    from mock_server.webhooks.targets import InvalidTarget, RemoteTarget, checked

    try:
        checked(to, allow_remote=allow_remote)
        rules, variants = Rules(statuses_of(accept), statuses_of(refuse)), chosen(only or (), skip or ())
    except RemoteTarget as error:
        raise WrongUse(f"{error}; --allow-remote lets webhooks go there") from None
    except (InvalidTarget, InvalidStatuses, UnknownVariant) as error:
        raise WrongUse(f"{'--to: ' if isinstance(error, InvalidTarget) else ''}{error.args[0]}") from None
    if not variants:
        raise WrongUse("--only and --skip leave no variant")
    scheme = scheme_of(provider, option)
    body, headers = (None, ()) if event is None else _event(event, files.read(event), scheme)
    situation = Situation(
        scheme=scheme,
        secrets=(secret,) if new_secret is None else (secret, new_secret),
        url=to,
        signed_url=notification_url or to,
        now=machine.wall() // SECOND,
        seed=machine.fresh_seed() if seed is None else seed,
        body=body,
        headers=headers,
    )
    _try_to_sign(situation)
    results = asyncio.run(_run(situation, variants, rules, timeout, allow_remote=allow_remote, quiet=as_json))
    card = scorecard.scorecard(to, provider, situation.seed, results)
    if junit is not None:
        files.write(junit, scorecard.junit(card).encode())
    if as_json:
        import msgspec

        tables.say_json(msgspec.json.encode(scorecard.view(card)))
    elif junit != files.STANDARD:
        _show(card)
    if card.failures:
        raise typer.Exit(FINDINGS)


async def _run(
    situation: Situation,
    variants: tuple[Variant, ...],
    rules: Rules,
    timeout: float,
    *,
    allow_remote: bool,
    quiet: bool,
) -> list[Result]:
    from mock_server import machine
    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.gauntlet.runner import NoTarget, run
    from mock_server.webhooks.outgoing import InvalidRequest
    from mock_server.webhooks.sending import Sender
    from mock_server.webhooks.targets import InvalidTarget, RemoteTarget

    with _progress(len(variants), quiet=quiet) as tell:
        try:
            async with Sender(timeout=timeout, allow_remote=allow_remote) as sender:
                return await run(variants, situation, rules, sender.send, lambda: machine.wall() // SECOND, tell)
        except NoTarget as error:
            raise Unreachable(f"nothing answers at --to: {error}") from None
        except (InvalidTarget, RemoteTarget, InvalidRequest) as error:
            raise WrongUse(str(error)) from None


def _event(name: str, raw: bytes, scheme: Scheme) -> tuple[bytes, Headers]:
    """The body of a capture and the headers that came with it; or the file itself, if it is JSON."""
    from mock_server.webhooks.captures import LARGEST_BODY, CaptureError, read_capture
    from mock_server.webhooks.headers import without
    from mock_server.webhooks.json_tokens import parsed

    thing = parsed(raw)
    if isinstance(thing, dict) and "mockbill_capture" in thing:
        try:
            capture = read_capture(raw, name)
        except CaptureError as error:
            raise WrongUse(str(error)) from None
        return capture.body, without(capture.headers, *NOT_TAKEN_ALONG, *scheme.headers)
    if len(raw) > LARGEST_BODY:
        raise WrongUse(f"{name}: a body is at most {LARGEST_BODY} bytes")
    if thing is None:
        raise WrongUse(f"{name}: neither a capture nor JSON")
    return raw, ()


def _try_to_sign(situation: Situation) -> None:
    from mock_server.webhooks.schemes.protocol import InvalidMessage, InvalidSecret

    for option, secret in zip(("--secret", "--new-secret"), situation.secrets, strict=False):
        try:
            situation.signed(situation.payload("valid"), secret=secret)
        except (InvalidSecret, InvalidMessage) as error:
            raise WrongUse(f"{option}: {error}") from None


@contextmanager
def _progress(count: int, *, quiet: bool) -> Iterator[Callable[[Any, int, int], None]]:
    """A bar on a terminal, on standard error; nothing elsewhere."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False, highlight=False), transient=True) as bar:
        task = bar.add_task("", total=count)
        yield lambda result, number, _: bar.update(task, completed=number, description=result.variant.name)


def _show(card: Scorecard) -> None:
    from mock_server.commands import tables
    from mock_server.webhooks.gauntlet import scorecard

    if card.warning:
        tables.complain(card.warning)
    if shown := scorecard.rows(card):
        tables.table(scorecard.HEADS, shown)
    reasons: dict[str, list[str]] = {}
    for result in card.results:
        if result.verdict == "skipped":
            reasons.setdefault(result.reason, []).append(result.variant.name)
    typer.echo()
    for reason, names in reasons.items():
        tables.say(f"does not apply: {', '.join(names)}: {reason}")
    for result in card.failures:
        tables.say(
            f"FAILED {result.variant.name}: expected {result.expected}, got {result.got}. {result.variant.advice}"
        )
    tables.say(f"{card.score} (seed {card.seed})")
