"""/_mock/worlds/{world}/webhook-endpoints: who is told of what happens in a world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mock_server.api import Api
from mock_server.engine.ids import draw
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.mock import DEFAULT_WORLD
from mock_server.store.deliveries import MOST_ENDPOINTS, Endpoint, EndpointExists, TooManyEndpoints
from mock_server.store.worlds import World
from mock_server.webhooks.fresh_secrets import secret_for
from mock_server.webhooks.preparing import scheme_for
from mock_server.webhooks.retrying import manner_of
from mock_server.webhooks.schemes import UnknownScheme
from mock_server.webhooks.schemes.generic import InvalidOptions
from mock_server.webhooks.schemes.protocol import InvalidMessage, InvalidSecret, Message
from mock_server.webhooks.targets import InvalidTarget, RemoteTarget, checked, is_this_machine

from .problems import ENDPOINT_EXISTS, INVALID_ENDPOINT, NO_SUCH_ENDPOINT, TOO_MANY_ENDPOINTS, UNKNOWN_EVENT
from .worlds import world_of

USUAL_SCHEME = "stripe"


async def list_endpoints(call: Call) -> Reply:
    world = world_of(call)
    return Reply({"endpoints": [shown(world, each) for each in _listed(world)]})


async def add_endpoint(call: Call) -> Reply:
    world, mock = world_of(call), call.mock
    mock.now_in(world)
    endpoint = made(call, world, call.body)
    _refuse_circle(call, world, endpoint)
    try:
        endpoint = world.deliveries.add(endpoint)
    except EndpointExists:
        raise Refusal(ENDPOINT_EXISTS(world=world.name, endpoint=endpoint.id)) from None
    except TooManyEndpoints:
        raise Refusal(TOO_MANY_ENDPOINTS(world=world.name, most=MOST_ENDPOINTS)) from None
    mock.webhooks.listen(world)
    location = f"{call.base_url}/_mock/worlds/{world.name}/webhook-endpoints/{endpoint.id}"
    return Reply({**shown(world, endpoint), "secret": endpoint.secret}, 201, (("Location", location),))


async def get_endpoint(call: Call) -> Reply:
    world = world_of(call)
    return Reply(shown(world, named(world, call.path["endpoint"])))


async def change_endpoint(call: Call) -> Reply:
    world = world_of(call)
    before, body = named(world, call.path["endpoint"]), dict(call.body)
    changes: dict[str, Any] = _flat(body)
    if "enabled" in changes:
        is_enabled = changes.pop("enabled")
        changes["disabled"] = None if is_enabled else before.disabled or "somebody disabled it"
    endpoint = msgspec.structs.replace(before, **changes)
    _check(call, endpoint)
    _refuse_circle(call, world, endpoint)
    world.deliveries.change(endpoint)
    call.mock.webhooks.wake(world)
    return Reply(shown(world, endpoint))


async def remove_endpoint(call: Call) -> Reply:
    """One that was made for an emission too: its name stands in the list of deliveries."""
    world, name = world_of(call), call.path["endpoint"]
    if not world.has_deliveries or not world.deliveries.remove(name):
        named(world, name)
    if not _listed(world):
        world.heard = None
    return Reply(None, 204)


def made(call: Call, world: World, body: Mapping[str, Any], *, is_passing: bool = False) -> Endpoint:
    """The endpoint that a request asks for (AddWebhookEndpointRequest). Raises Refusal."""
    scheme = body.get("scheme", USUAL_SCHEME)
    manner = manner_of(scheme)
    drawn = draw(world.state.seed, "webhook secret", world.deliveries.added, size=24)
    values = {"secret": secret_for(scheme, drawn), "retries": manner.retries, **_flat(dict(body)), "scheme": scheme}
    endpoint = Endpoint(id=values.pop("id", ""), is_passing=is_passing, **values)
    _check(call, endpoint)
    return endpoint


def named(world: World, name: str) -> Endpoint:
    """Raises Refusal (404)."""
    endpoint = world.deliveries.endpoint(name) if world.has_deliveries else None
    if endpoint is None or endpoint.is_passing:
        there_are = ", ".join(each.id for each in _listed(world)) or "none"
        raise Refusal(NO_SUCH_ENDPOINT(world=world.name, endpoint=name, there_are=there_are[:500]))
    return endpoint


def shown(world: World, endpoint: Endpoint) -> dict[str, Any]:
    """WebhookEndpoint, without the secret."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "scheme": endpoint.scheme,
        "options": dict(endpoint.options),
        "secret": None,
        "events": endpoint.events,
        "signature_time": endpoint.signature_time,
        "order": endpoint.order,
        "retries": endpoint.retries,
        "timeout_ms": endpoint.timeout_ms,
        "concurrency": endpoint.concurrency,
        "disable_after": endpoint.disable_after,
        "misbehave": {"kinds": endpoint.misbehave, "probability": endpoint.probability},
        "description": endpoint.description,
        "disabled": endpoint.disabled,
        "counts": world.deliveries.counts(endpoint.id),
    }


def _listed(world: World) -> list[Endpoint]:
    return [each for each in world.deliveries.endpoints if not each.is_passing] if world.has_deliveries else []


def _flat(body: dict[str, Any]) -> dict[str, Any]:
    """The members of a request as those of an Endpoint."""
    misbehave = body.pop("misbehave", None)
    if misbehave is not None:
        body |= {"misbehave": tuple(misbehave["kinds"]), "probability": float(misbehave.get("probability", 1))}
    for name in ("events", "retries"):
        if name in body:
            body[name] = tuple(body[name])
    return body


def refuse_unknown(event: str, apis: Iterable[Api]) -> None:
    """An event, or with `*` at its end the beginning of some. Raises Refusal."""
    topics = [topic for api in apis for topic in api.topics]
    if not any(topic.startswith(event[:-1]) if event.endswith("*") else topic == event for topic in topics):
        raise Refusal(UNKNOWN_EVENT(event=event, topics=", ".join(topics)))


def _refuse_circle(call: Call, world: World, endpoint: Endpoint) -> None:
    """A world that is told by itself would tell itself of that again, without end."""
    here, target = urlsplit(call.base_url), urlsplit(endpoint.url)
    if is_this_machine(target.hostname or "") and target.port in (call.mock.port, here.port):
        is_default = world.name == DEFAULT_WORLD and not target.path.startswith(("/w/", "/_mock/"))
        if is_default or target.path.startswith(f"/w/{world.name}/"):
            raise Refusal(INVALID_ENDPOINT(reason=f"the URL leads back to {world.name!r} itself, a circle without end"))


def _check(call: Call, endpoint: Endpoint) -> None:
    """What the schema cannot say."""
    for event in endpoint.events:
        refuse_unknown(event, call.mock.apis.values())
    try:
        checked(endpoint.url, allow_remote=call.mock.options.allow_remote)
        if endpoint.options and endpoint.scheme != "generic":
            raise InvalidOptions("options are for the scheme generic")
        # Whether it can sign is not seen from its form alone: a key may only verify.
        scheme_for(endpoint).sign(Message(b"", endpoint.url, "msg_1"), endpoint.secret, 0)
    except RemoteTarget as error:
        reason = f"{error}. Start the server with --allow-remote if that is meant"
    except InvalidTarget as error:
        reason = f"the URL cannot be called: {error}"
    except (UnknownScheme, InvalidOptions, InvalidSecret, InvalidMessage) as error:
        reason = str(error)
    else:
        return
    raise Refusal(INVALID_ENDPOINT(reason=reason[:1000]))
