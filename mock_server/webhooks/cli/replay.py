"""`mockbill webhook replay`: captures, sent again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mock_server.commands.client import WrongUse
from mock_server.commands.groups import FINDINGS, UNREACHABLE
from mock_server.commands.tables import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server.webhooks.outgoing import Outgoing
    from mock_server.webhooks.replaying.dressing import Dress
    from mock_server.webhooks.replaying.expecting import Expectation
    from mock_server.webhooks.replaying.loading import NamedCapture
    from mock_server.webhooks.replaying.planning import Plan, Planned
    from mock_server.webhooks.replaying.running import Outcome

INTERRUPTED = 130


def replay(
    ctx: typer.Context,
    captures: Annotated[
        list[Path], typer.Argument(metavar="CAPTURE...", help="Files of captures, or folders: all *.json in them.")
    ],
    to: Annotated[str, typer.Option(metavar="URL", envvar="MOCKBILL_WEBHOOK_TO", help="Where they go.")],
    resign: Annotated[
        bool, typer.Option("--resign", help="Replace the signature headers by new ones made with --secret.")
    ] = False,
    secret: Annotated[
        str | None, typer.Option(envvar="MOCKBILL_WEBHOOK_SECRET", help="What --resign signs with.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Whose signatures --resign makes; each capture's own provider's if left out.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="For --provider generic; may be repeated."),
    ] = None,
    at: Annotated[
        Literal["original", "now"] | None,
        typer.Option(
            help="The time in new signatures: now (if left out), or original, when the capture came in. Needs --resign."
        ),
    ] = None,
    sign_url: Annotated[
        str,
        typer.Option(
            metavar="target|captured|URL",
            help="The URL in new signatures of providers that sign it (Square): where it goes now, the one that was called "
            "when it was captured, or this one.",
        ),
    ] = "target",
    speed: Annotated[
        str,
        typer.Option(
            metavar="1x|10x|max", help="1x keeps the pauses between captures, 10x makes them a tenth, max none."
        ),
    ] = "1x",
    longest_pause: Annotated[
        float, typer.Option(min=0, max=86_400, metavar="SECONDS", help="No pause is longer than this.")
    ] = 10.0,
    order: Annotated[
        Literal["original", "shuffle"], typer.Option(help="By the time they came in and then by file name, or any.")
    ] = "original",
    seed: Annotated[
        int, typer.Option(min=0, help="Decides all that is left to chance: the same seed, the same replay.")
    ] = 0,
    duplicate: Annotated[
        float, typer.Option(min=0, max=1, help="The share of requests that go out twice; 0.1 is a tenth.")
    ] = 0.0,
    drop: Annotated[float, typer.Option(min=0, max=1, help="The share that does not go out at all.")] = 0.0,
    damage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[=SHARE]",
            help="tamper, truncate or wrong_content_type; with --resign also wrong_secret, old, future, missing_header. "
            "Of all requests, or of such a share: tamper=0.1. May be repeated.",
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100_000, help="So many rounds of all of it.")] = 1,
    expect: Annotated[
        str,
        typer.Option(help="What the receiver is to answer: 200, 2xx, any, none, or several of these with commas."),
    ] = "2xx",
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="So many at a time; with 1 the receiver sees exactly the planned order.")
    ] = 1,
    timeout: Annotated[
        float, typer.Option(min=0.001, max=3600, metavar="SECONDS", help="For connecting and the whole answer.")
    ] = 10.0,
    keep_path: Annotated[
        bool, typer.Option("--keep-path", help="Add each capture's own path to the URL instead of sending all to it.")
    ] = False,
    keep_host: Annotated[
        bool, typer.Option("--keep-host", help="Leave the Host header as captured; else it is the target's.")
    ] = False,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", envvar="MOCKBILL_ALLOW_REMOTE", help="Let them go to other machines too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Send captured webhooks again: byte for byte, or re-signed; faster, shuffled, doubled, dropped or damaged.

    Method, headers (their order, their case) and body go out as they came in. Only Host becomes the target's, and a
    Content-Length that is not the body's is put right. Ends with 1 if an answer is not the expected one, with 3 if nothing
    could be reached at all.
    """
    from mock_server.webhooks.replaying.dressing import Dress
    from mock_server.webhooks.replaying.expecting import InvalidExpectation, expectation
    from mock_server.webhooks.replaying.planning import Manner, Received, TooMany, planned

    from .replay_input import check_signing, checked_target, damages_of, loaded, signing_of, speed_of
    from .replay_shown import Replayed, show

    source = ctx.get_parameter_source("secret")
    if secret is not None and not resign and source is not None and source.name == "COMMANDLINE":
        raise WrongUse("--secret needs --resign: without it all is sent as it was captured, signature and all")
    signing = signing_of(resign, secret, provider, option, at, sign_url)
    dress = Dress(checked_target(to, keep_path=keep_path), keep_path, keep_host, signing, seed)
    damages = damages_of(damage, resigns=resign)
    manner = Manner(speed_of(speed), longest_pause, order, seed, duplicate, drop, repeat, damages)
    try:
        expected = expectation(expect)
    except InvalidExpectation as error:
        raise WrongUse(f"--expect: {error}") from None
    found = loaded(captures)
    if signing is not None:
        check_signing(found, dress)
    elif redacted := sum(each.capture.redacted for each in found):
        complain(f"{redacted} of the captures are redacted: their signatures fit no more (see --resign)")
    try:
        plan = planned([Received(each.capture.received_at, Path(each.name).name) for each in found], manner)
    except TooMany as error:
        raise WrongUse(str(error)) from None
    outcomes, seconds, is_interrupted = _carried_out(plan, found, dress, expected, concurrency, timeout, allow_remote)
    replayed = Replayed(to, found, plan, manner, expected, outcomes, seconds, is_interrupted)
    show(replayed, as_json=as_json)
    if is_interrupted:
        raise typer.Exit(INTERRUPTED)
    if replayed.is_unreachable and replayed.unexpected:
        raise typer.Exit(UNREACHABLE)
    if replayed.unexpected:
        raise typer.Exit(FINDINGS)


def _carried_out(
    plan: Plan,
    found: Sequence[NamedCapture],
    dress: Dress,
    expected: Expectation,
    concurrency: int,
    timeout: float,
    allow_remote: bool,
) -> tuple[list[Outcome], float, bool]:
    """What has come of the plan, in its order; after how many seconds; and whether Ctrl-C ended it."""
    import asyncio

    from mock_server import machine
    from mock_server.engine.instants import SECOND
    from mock_server.webhooks.replaying.dressing import outgoing
    from mock_server.webhooks.replaying.running import replay as replay_all
    from mock_server.webhooks.schemes import scheme_named
    from mock_server.webhooks.sending import Sender
    from mock_server.webhooks.targets import RemoteTarget

    from .replay_shown import Bar, kept

    outcomes: list[Outcome] = []

    def request(send: Planned) -> Outgoing:
        return outgoing(found[send.index].capture, send, dress, machine.wall() // SECOND, scheme_named)

    async def run(bar: Bar) -> None:
        def tell(outcome: Outcome) -> None:
            outcomes.append(kept(outcome))
            bar.move()

        async with Sender(timeout, concurrency, allow_remote) as sender:
            await sender.check(dress.to)
            await replay_all(plan.sends, request, sender, expected, tell, machine.stopwatch, concurrency)

    started = machine.stopwatch()
    is_interrupted = False
    try:
        with Bar(len(plan.sends)) as bar:
            asyncio.run(run(bar))
    except RemoteTarget as error:
        raise WrongUse(f"--to: {error} (--allow-remote)") from None
    except KeyboardInterrupt:
        is_interrupted = True
    return sorted(outcomes, key=lambda each: each.send.number), machine.stopwatch() - started, is_interrupted
