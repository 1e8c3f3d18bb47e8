"""Drives whichever `openapp-sdk` is installed beside it; prints one JSON line for each call it makes.

    python -I openapp_sdk.py SCENARIO BASE_URL name=value...

Run it isolated (-I): else this file would import itself instead of the package. The values are secrets and the scenario's
other inputs, as the signatures of the scenarios below name them. A line is `{"step", "answer"}` or `{"step", "error", ...}`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from openapp_sdk import AsyncClient, Client
from openapp_sdk.errors import SdkError

BASE_URL = sys.argv[2]
PRO, FREE = "pro", "free"


def token(secret: str) -> str:
    return f"{BASE_URL}_openapp_{secret}"


async def connect(secret: str, **options: Any) -> Any:
    return await AsyncClient.connect(api_key=token(secret), **{"max_retries": 0, **options})


# The calls. Releases differ in how many of them have a method of their own; the others go through `_request`, which is
# what the documentation tells their users to do.


def upgrade_options(client: Any, org: str) -> Any:
    if hasattr(client.billing, "upgrade_options"):
        return client.billing.upgrade_options(org)
    return client._request("GET", f"/orgs/{org}/billing/upgrade-options")


def checkout(client: Any, org: str, tier: str) -> Any:
    if hasattr(client.billing, "checkout"):
        return client.billing.checkout(org, tier_slug=tier)
    return client._request("POST", f"/orgs/{org}/billing/checkout", body={"tier_slug": tier})


def portal(client: Any, org: str, return_url: str = "https://app.example/billing?tab=plan&x=ü") -> Any:
    if hasattr(client.billing, "portal"):
        return client.billing.portal(org, return_url=return_url)
    return client._request("POST", f"/orgs/{org}/billing/portal", body={"return_url": return_url})


def degradation(client: Any, org: str) -> Any:
    return client._request("GET", f"/orgs/{org}/billing/degradation")


def create_zone(client: Any, org: str, **body: Any) -> Any:
    takes_org = "org_id" in inspect.signature(client.zones.create).parameters
    return client.zones.create(org, **body) if takes_org else client.zones.create(**body)


def list_zones(client: Any, org: str, **query: Any) -> Any:
    if hasattr(client.zones, "list"):
        return client.zones.list(org, **query)
    return client._request("GET", "/zones", query=client.zones._query(**query))


def delete_zone(client: Any, zone: str, detach: bool) -> Any:
    if "detach" in inspect.signature(client.zones.delete).parameters:
        return client.zones.delete(zone, detach=detach)
    return client._request("DELETE", f"/zones/{zone}", query=(("cascade", "detach"),) if detach else ())


CALLS: dict[str, Callable[..., Any]] = {
    call.__name__: call
    for call in (upgrade_options, checkout, portal, degradation, create_zone, list_zones, delete_zone)
}


# The scenarios: what somebody's program would do.


async def look(secret: str, org: str) -> None:
    """Whatever can be read of an organization."""
    async with await connect(secret) as client:
        await see("status", client.status.get())
        await see("plans", client._request("GET", "/plans"))
        await see("plan", client.billing.plan(org))
        await see("usage", client.billing.usage(org))
        await see("upgrade options", upgrade_options(client, org))
        await see("degradation", degradation(client, org))


async def up_and_down(secret: str, org: str) -> None:
    async with await connect(secret) as client:
        await see("up", checkout(client, org, PRO))
        await see("plan after up", client.billing.plan(org))
        await see("usage after up", client.billing.usage(org))
        await see("upgrade options after up", upgrade_options(client, org))
        await see("up again", checkout(client, org, PRO))
        await see("down", checkout(client, org, FREE))
        await see("plan after down", client.billing.plan(org))
        await see("down again", checkout(client, org, FREE))


async def buy(secret: str, org: str, tier: str) -> None:
    async with await connect(secret) as client:
        await see("checkout", checkout(client, org, tier))
        await see("plan", client.billing.plan(org))


async def buy_and_retry(secret: str, org: str, tier: str) -> None:
    """As many retries as the library makes when nobody tells it otherwise."""
    async with await AsyncClient.connect(api_key=token(secret)) as client:
        await see("checkout", checkout(client, org, tier))


async def open_portal(secret: str, org: str) -> None:
    async with await connect(secret) as client:
        await see("portal", portal(client, org))


async def open_portal_and_retry(secret: str, org: str) -> None:
    async with await AsyncClient.connect(api_key=token(secret)) as client:
        await see("portal", portal(client, org))


async def override(operator: str, owner: str, org: str, key: str, limit: str, expires_at: str = "") -> None:
    """An operator lifts a limit, and its owner sees it."""
    body = {"subject_type": "org", "subject_id": org, "quota_key": key, "limit_value": int(limit), "reason": "a trial"}
    if expires_at:
        body["expires_at"] = expires_at
    async with await connect(operator) as client:
        await see("post", client._request("POST", "/admin/quota_overrides", body=body))
        await see("post again", client._request("POST", "/admin/quota_overrides", body=body))
        await see("list", client._request("GET", "/admin/quota_overrides"))
    async with await connect(owner) as client:
        await see("usage", client.billing.usage(org))
        await see("list as owner", client._request("GET", "/admin/quota_overrides"))


async def list_overrides(operator: str) -> None:
    async with await connect(operator) as client:
        await see("list", client._request("GET", "/admin/quota_overrides"))


async def policy(secret: str, org: str) -> None:
    async with await connect(secret) as client:
        for value in ("oldest_first", "whatever"):
            path = f"/orgs/{org}/billing/degradation/policy"
            await see(value, client._request("PUT", path, body={"policy": value}))
        await see("degradation", degradation(client, org))


async def with_org_header(secret: str, org: str) -> None:
    """X-Org on every call, given at the start and later."""
    async with await connect(secret, org_id=org) as client:
        await see("at the start", client.billing.plan(org))
    async with await connect(secret) as client:
        await see("later", client.with_org(org).billing.plan(org))


async def by_base_url(secret: str, org: str, base_url: str) -> None:
    """The API's root given apart from the key."""
    async with await connect(secret, base_url=base_url) as client:
        await see("plan", client.billing.plan(org))
        await see("portal", portal(client, org))


def synchronous(secret: str, org: str) -> None:
    """The same through the blocking twin."""
    with Client.connect(api_key=token(secret), max_retries=0) as client:
        steps: dict[str, Callable[[], Any]] = {
            "plan": lambda: client.billing.plan(org),
            "usage": lambda: client.billing.usage(org),
            "upgrade options": lambda: wait(client, upgrade_options(client._inner, org)),
            "checkout": lambda: wait(client, checkout(client._inner, org, PRO)),
            "plan after checkout": lambda: client.billing.plan(org),
            "portal": lambda: wait(client, portal(client._inner, org)),
            "unknown tier": lambda: wait(client, checkout(client._inner, org, "platinum")),
        }
        for step, call in steps.items():
            try:
                show(step, call())
            except SdkError as error:
                show_error(step, error)


def wait(client: Any, answer: Awaitable[Any]) -> Any:
    return client._run(answer)


async def session(api_key: str, base_url: str = "") -> None:
    """Each line of standard input is a call, as a chain from the client on: `[["devices"], ["create", [], {...}]]`."""
    async with await AsyncClient.connect(api_key=api_key, base_url=base_url or None, max_retries=0) as client:
        show("connect", None)
        for line in sys.stdin:
            await see("call", follow(client, json.loads(line)))


def follow(client: Any, chain: list[Any]) -> Any:
    found = client
    for name, *how in chain:
        found = partial(CALLS[name], client) if found is client and name in CALLS else getattr(found, name)
        if how:
            found = found(*how[0], **how[1])
    return found


def judge() -> None:
    """Reads `[[name, model, body]...]` and says what the library's own models find wrong with each body."""
    for name, model, body in json.load(sys.stdin):
        show(name, verdict(model, body))


def judge_each() -> None:
    """The same for `[model, body]` on each line of standard input."""
    show("connect", None)
    for line in sys.stdin:
        show("verdict", verdict(*json.loads(line)))


def verdict(model_name: str, body: dict[str, Any]) -> Any:
    """`missing` is a model that this release does not have; `unknown` are members of the body that the model does not."""
    from openapp_sdk import models
    from pydantic import ValidationError

    model = getattr(models, model_name, None)
    if model is None:
        return "missing"
    try:
        model.model_validate_json(json.dumps(body), strict=True)
        errors = []
    except ValidationError as error:
        errors = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return {"errors": errors, "unknown": sorted(body.keys() - model.model_fields.keys())}


# What comes of a call. An exception that no step caught is the one that `connect` raised.


async def see(step: str, call: Awaitable[Any]) -> None:
    try:
        show(step, await call)
    except SdkError as error:
        show_error(step, error)


def show(step: str, answer: Any) -> None:
    print(json.dumps({"step": step, "answer": answer}), flush=True)


def show_error(step: str, error: SdkError) -> None:
    facts = {name: getattr(error, name, None) for name in ("status", "code", "correlation_id", "details")}
    print(json.dumps({"step": step, "error": type(error).__name__, "message": error.message, **facts}), flush=True)


def main() -> int:
    scenario, inputs = globals()[sys.argv[1]], sys.argv[3:]
    try:
        outcome = scenario(**dict(each.split("=", 1) for each in inputs))
        if outcome is not None:
            asyncio.run(outcome)
    except SdkError as error:
        show_error("connect", error)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not sys.exit: now and then the library's own threads abort an interpreter that is shutting down (SIGABRT).
    os._exit(code)
