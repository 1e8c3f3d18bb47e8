"""`mockbill webhook emit | deliveries | redeliver | endpoints ...`: the webhooks of a running mock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from .answers import DeliveryLine, DeliveryList, Emission, WebhookEndpoint, WebhookEndpointList
from .client import HERE, PATIENCE_S, Mock, WrongUse
from .groups import FINDINGS, UNREACHABLE, group
from .options import DEMO, AsJson, InWorld, Limit, Token, Url, given, values
from .tables import say, say_nothing, show, table

LONGEST_WAIT = 60
EXPECTED = re.compile(r"[1-5](?:\d\d|xx)", re.ASCII)
State = Literal["pending", "delivered", "failed", "abandoned", "dropped"]

endpoints = group(
    "Who is told of what happens in a world.",
    "mockbill webhook endpoints add http://127.0.0.1:8000/hooks --scheme stripe --secret whsec_demo",
)

Scheme = Annotated[
    str | None,
    typer.Option(
        "--scheme", "--provider", help="Whose signatures and payloads (`mockbill webhook schemes`); stripe if left out."
    ),
]
Secret = Annotated[
    str | None, typer.Option(envvar="MOCKBILL_WEBHOOK_SECRET", help="What is signed with; one is made up if left out.")
]
SchemeOption = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="For --scheme generic; may be repeated.")
]
SignatureTime = Annotated[
    Literal["wall", "world"] | None, typer.Option(help="Whose time signatures carry; the machine's (wall) if left out.")
]
Retries = Annotated[
    str | None,
    typer.Option(help="Seconds between attempts, such as 5,300; `none` for a single one. The provider's if left out."),
]
Mutate = Annotated[
    str | None,
    typer.Option(
        help="What goes wrong on purpose, with commas: duplicate, delay, reorder, drop, tamper, wrong_secret, old, future, "
        "missing_header, truncate, wrong_content_type, burst."
    ),
]
Wait = Annotated[int, typer.Option(min=0, max=LONGEST_WAIT, help="Seconds to wait until what is due has been sent.")]


def emit(
    ctx: typer.Context,
    event: Annotated[str, typer.Option(help="The event's topic, such as invoice.paid or subscription.canceled.")],
    to: Annotated[str | None, typer.Option(help="Send it to this URL; to the world's endpoints if left out.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Send it to this endpoint only.")] = None,
    scheme: Scheme = None,
    secret: Secret = None,
    option: SchemeOption = None,
    org: Annotated[str | None, typer.Option(help="The organization it is about; the first if left out.")] = None,
    data: Annotated[
        str | None, typer.Option(help="A JSON object: members in place of those that would be sent.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, max=1000, help="So many of them.")] = None,
    mutate: Mutate = None,
    signature_time: SignatureTime = None,
    retries: Retries = None,
    expect: Annotated[
        str | None,
        typer.Option(
            help="What is to be answered, else exit code 1: 2xx, 400 or any. If left out 2xx, with --mutate any."
        ),
    ] = None,
    wait: Wait = 10,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell of an event that has not happened. Nothing changes in the world."""
    if to is None and (source := ctx.get_parameter_source("secret")) is not None and source.name == "ENVIRONMENT":
        secret = None  # it is meant for whoever is named with --to
    body: dict[str, Any] = {
        **given(event=event, to=to, endpoint=endpoint, org=org, count=count),
        **given(scheme=scheme, secret=secret, signature_time=signature_time),
        **_lists(mutate=mutate),
        **_retries(retries),
        **_options(option),
        **({} if data is None else {"data": _object(data)}),
    }
    wanted = expectation(expect if expect is not None else "2xx" if mutate is None and wait else "any")
    query, patience = {"wait": wait}, PATIENCE_S + wait
    sent = Mock(url, token).post(
        Emission, "worlds", world, "webhooks", "emit", body=body, query=query, patience=patience
    )
    show(sent, as_json, lambda found: _emitted(world, found))
    found = sent.value.deliveries
    if not found:
        raise typer.Exit(FINDINGS)
    if all(each.status is None and each.tried for each in found):
        raise typer.Exit(UNREACHABLE)
    if not all(wanted(each.status) for each in found):
        raise typer.Exit(FINDINGS)


def deliveries(
    endpoint: Annotated[str | None, typer.Option(help="Only to this endpoint.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those of which this is so.")] = None,
    event: Annotated[str | None, typer.Option(help="Only of this event.")] = None,
    limit: Limit = None,
    wait: Wait = 0,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List what was sent and what is owed, newest first."""
    query = given(endpoint=endpoint, state=state, event=event, limit=limit, wait=wait)
    found = Mock(url, token).get(DeliveryList, "worlds", world, "deliveries", query=query, patience=PATIENCE_S + wait)
    show(found, as_json, lambda each: _listed(world, each, "nothing was sent, and nothing is owed"))


def redeliver(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The delivery's id (see `mockbill webhook deliveries`).")],
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Send an event once more, with the same id and a new signature."""
    again = Mock(url, token).post(DeliveryLine, "worlds", world, "deliveries", id_, "redeliver")
    show(again, as_json, lambda each: say(f"{world}: {each.topic} goes out again as {each.id}"))


@endpoints.command("list", epilog="Example:  mockbill webhook endpoints list --world demo")
def list_(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """List the endpoints of a world, and what has become of their deliveries."""
    found = Mock(url, token).get(WebhookEndpointList, "worlds", world, "webhook-endpoints")
    show(found, as_json, lambda each: _endpoints(world, each))


@endpoints.command(
    epilog="Example:  mockbill webhook endpoints add http://127.0.0.1:8000/hooks --scheme stripe --secret whsec_demo"
)
def add(
    target: Annotated[str, typer.Argument(metavar="URL", help="Where webhooks go.")],
    id_: Annotated[str | None, typer.Option("--id", help="What to call it; endpoint-1 and so on if left out.")] = None,
    scheme: Scheme = None,
    secret: Secret = None,
    option: SchemeOption = None,
    events: Annotated[
        str | None, typer.Option(help="Only these, with commas: invoice.*,subscription.canceled. All if left out.")
    ] = None,
    signature_time: SignatureTime = None,
    order: Annotated[
        Literal["subject", "none"] | None, typer.Option(help="Whether events of one organization wait for each other.")
    ] = None,
    retries: Retries = None,
    mutate: Mutate = None,
    probability: Annotated[
        float | None, typer.Option(min=0, max=1, help="In which share of the deliveries that goes wrong.")
    ] = None,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell somebody what happens in a world from now on."""
    kinds = _lists(kinds=mutate)
    if probability is not None and not kinds:
        raise WrongUse("--probability says how often what --mutate names goes wrong: give that too")
    body: dict[str, Any] = {
        **given(url=target, id=id_, scheme=scheme, secret=secret, signature_time=signature_time, order=order),
        **_lists(events=events),
        **_retries(retries),
        **_options(option),
        **({"misbehave": {**kinds, **({} if probability is None else {"probability": probability})}} if kinds else {}),
    }
    added = Mock(url, token).post(WebhookEndpoint, "worlds", world, "webhook-endpoints", body=body)
    made_up = "" if secret is not None else f" with {added.value.secret}, made up"
    show(added, as_json, lambda each: say(f"{world}: {each.id} is told, signed as {each.scheme}{made_up}"))


@endpoints.command(epilog="Example:  mockbill webhook endpoints remove shop")
def remove(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id.")],
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell it no more. What it is owed is abandoned."""
    Mock(url, token).delete("worlds", world, "webhook-endpoints", id_)
    say_nothing(as_json, f"{world}: endpoint {id_} removed")


@endpoints.command(epilog="Example:  mockbill webhook endpoints enable shop")
def enable(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id.")],
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Go on with an endpoint that too many failures have disabled."""
    changed = Mock(url, token).patch(WebhookEndpoint, "worlds", world, "webhook-endpoints", id_, body={"enabled": True})
    show(changed, as_json, lambda each: say(f"{world}: {each.id} is told again; {each.counts.pending} are owed to it"))


def expectation(text: str) -> Callable[[int | None], bool]:
    """Whether a status is what `text` says. Raises WrongUse."""
    if text == "any":
        return lambda status: True
    if not EXPECTED.fullmatch(text):
        raise WrongUse(f"--expect {text!r} is none of 2xx, 400 and any")
    return lambda status: status is not None and text in (str(status), f"{status // 100}xx")


def _emitted(world: str, found: Emission) -> None:
    _listed(world, found, "nobody wants to hear of it: add an endpoint, or give --to")
    if found.secret is not None:
        say(f"signed with {found.secret}, made up: give --secret to choose")


def _listed(world: str, found: DeliveryList | Emission, nothing: str) -> None:
    if not found.matched:
        say(f"{world}: {nothing}")
        return
    rows = [
        (each.id, each.topic, each.url, each.state, each.tried, each.status or each.error, each.waits or each.due)
        for each in found.deliveries
    ]
    table(("delivery", "event", "to", "state", "tried", "answer", "again at"), rows)
    if found.matched > len(rows):
        say(f"{len(rows)} of {found.matched}; {found.owed} are owed in all")


def _endpoints(world: str, found: WebhookEndpointList) -> None:
    if not found.endpoints:
        say(f"{world} tells nobody")
        return
    rows = [
        (
            each.id,
            each.url,
            each.scheme,
            ",".join(each.events) or "all",
            each.counts.delivered,
            each.counts.failed,
            each.counts.pending,
            each.disabled,
        )
        for each in found.endpoints
    ]
    table(("endpoint", "url", "scheme", "events", "delivered", "failed", "owed", "disabled"), rows)


def _lists(**texts: str | None) -> dict[str, list[str]]:
    """Those that were given, taken apart at their commas."""
    return {
        name: [each.strip() for each in text.split(",") if each.strip()]
        for name, text in texts.items()
        if text is not None
    }


def _retries(text: str | None) -> dict[str, list[int]]:
    if text is None:
        return {}
    try:
        return {"retries": [] if text == "none" else [int(each) for each in text.split(",")]}
    except ValueError:
        raise WrongUse(f"--retries {text!r} is neither seconds with commas, such as 5,300, nor none") from None


def _options(given_options: list[str] | None) -> dict[str, dict[str, str]]:
    return {"options": values(given_options)} if given_options else {}


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise WrongUse(f"--data is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise WrongUse("--data is not a JSON object")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number there")
