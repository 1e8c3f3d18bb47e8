"""What is used rather than owned: doors, scripts, portals, translations, addresses."""

from __future__ import annotations

import json
import math
import re
from datetime import timedelta
from typing import Any

from ulid import ULID

from . import lifecycle
from .call import Call, operation
from .errors import Refusal, missing
from .quotas import consume
from .resources import check_scope
from .state import Execution, Thing, World
from .strict import read_json
from .times import show

OPENABLE = {"door", "light", "switch"}
REMEMBERED = timedelta(hours=24)
STARTS, ENDS = timedelta(milliseconds=250), timedelta(milliseconds=750)
CITIES = {
    "Berlin": ("Germany", 52.52, 13.405),
    "London": ("United Kingdom", 51.507, -0.128),
    "New York": ("United States", 40.713, -74.006),
    "Tel Aviv": ("Israel", 32.085, 34.782),
    "Tokyo": ("Japan", 35.69, 139.692),
    "Sydney": ("Australia", -33.869, 151.209),
    "Nairobi": ("Kenya", -1.286, 36.817),
}


@operation("get_status")
def status(world: World, call: Call) -> Any:
    return {"environment": "mock", "version": "other-server 1"}


def _touch(world: World, entity: Thing) -> None:
    """Notes the use on all that the door belongs to."""
    moment = (world.now, world.tick())
    device = world.things["devices"].get(entity.data["device_id"])
    touched: list[Thing | None] = [entity, device]
    if device:
        touched.append(world.things["integrations"].get(device.data["integration_id"]))
    for thing in (entity, device):
        if thing and "zone_id" in thing.data:
            touched.append(world.things["zones"].get(thing.data["zone_id"]))
    for thing in touched:
        if thing:
            thing.used = moment


@operation("execute_entity_action")
def execute(world: World, call: Call) -> Any:
    entity = world.find(call.caller, "entities", call.path["id"], live=True)
    check_scope(call, entity)
    action = call.path["action_id"]
    action = "switchable.open" if action == "open" else action
    name, request = call.header.get("Idempotency-Key"), (action, call.body or {})
    place = entity.id, call.caller.key.id if call.caller.key else str(id(call.caller)), name or ""
    until = world.replays[place][2] if place in world.replays else world.now
    if name and world.now < until:
        earlier, answer, _ = world.replays[place]
        if json.dumps(earlier, sort_keys=True) != json.dumps(request, sort_keys=True):
            message = f"The Idempotency-Key '{name}' was used for another request on this entity."
            raise Refusal(409, "idempotency_conflict", message, {"key": name, "id": entity.id})
        return answer | {"idempotent_replay": True}
    kind = entity.data["entity_type"]
    if action != "switchable.open" or kind not in OPENABLE:
        actions = ["switchable.open"] if kind in OPENABLE else []
        message = f"'{action}' is not implemented for a {kind}; there are: {', '.join(actions) or 'none'}."
        details = {"action_id": action, "entity_type": kind, "actions": actions}
        raise Refusal(501, "action_not_implemented", message, details)
    org = world.orgs[entity.org_id]
    consume(world, org, ["door_opens", "voice_invocations"] if call.caller.key else ["door_opens"])
    _touch(world, entity)
    lifecycle.refresh(world, org)
    answer = {
        "correlation_id": call.request_id,
        "entity_id": entity.id,
        "action_id": action,
        "executed_at": show(world.now),
        "idempotent_replay": False,
    }
    delay = lifecycle.delay_ms(world, org) if call.caller.waits else 0
    if delay:
        answer["degradation"] = {
            "stage": org.stage,
            "degradation_level": lifecycle.level(world, org),
            "delay_ms": delay,
            "message": f"The organization holds more than its plan allows: this took {delay} ms longer.",
        }
    if name:
        world.replays[place] = request, answer, world.now + REMEMBERED
    return answer


# Scripts: nothing is run, so how far one has come follows from the clock.


def _execution(world: World, execution: Execution, summary: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": execution.id, "status": "pending", "created_at": show(execution.created_at)}
    until = execution.canceled_at or world.now
    if until >= execution.created_at + STARTS:
        shown |= {"status": "running", "started_at": show(execution.created_at + STARTS)}
    if execution.canceled_at:
        return shown | {"status": "canceled", "completed_at": show(until), "error": "The execution was canceled."}
    if until < execution.created_at + ENDS:
        return shown
    shown["completed_at"] = show(execution.created_at + ENDS)
    failure = re.search(r"^[ \t]*# mock: fail(?:[ \t]+(.*))?$", execution.script, re.MULTILINE)
    if failure:
        return shown | {"status": "failed", "error": (failure[1] or "The script failed.").strip()[:10000]}
    shown["status"] = "succeeded"
    if not summary:
        shown["result"] = _result(execution.script)
    return shown


def _result(script: str) -> Any:
    found = re.search(r"^[ \t]*# mock: result[ \t]+(.*)$", script, re.MULTILINE)
    if not found:
        return None
    try:
        return read_json(found[1].encode("utf-8"))
    except ValueError:
        return found[1].strip()


def _find_execution(world: World, call: Call) -> Execution:
    execution = world.executions.get(call.path["id"])
    if execution is None or not world.reaches(call.caller, execution.org_id):
        raise missing("scripting_executions", call.path["id"])
    return execution


@operation("create_scripting_execution", 202)
def run(world: World, call: Call) -> Any:
    org = world.own_org(call.caller, call.header.get("X-Org"))
    consume(world, org, ["scripting_executions"])
    execution = Execution(str(ULID()), org.id, call.body["script"], world.now)
    world.executions[execution.id] = execution
    return _execution(world, execution)


@operation("list_scripting_executions")
def list_executions(world: World, call: Call) -> Any:
    org = world.own_org(call.caller, call.header.get("X-Org"))
    found = [execution for execution in world.executions.values() if execution.org_id == org.id]
    return [_execution(world, execution, summary=True) for execution in found[::-1][: call.query["limit"]]]


@operation("get_scripting_execution")
def get_execution(world: World, call: Call) -> Any:
    return _execution(world, _find_execution(world, call))


@operation("cancel_scripting_execution", 204)
def cancel(world: World, call: Call) -> Any:
    execution = _find_execution(world, call)
    state = _execution(world, execution)["status"]
    if state not in {"pending", "running"}:
        message = f"The execution '{execution.id}' is finished already: {state}."
        raise Refusal(409, "already_finished", message, {"id": execution.id, "status": state})
    execution.canceled_at = world.now


@operation("get_public_portal")
def portal(world: World, call: Call) -> Any:
    portal_id = call.path["publicPortalId"]
    found = world.portals.get(portal_id)
    if found is None:
        raise missing("portals", portal_id, f"There is no public portal '{portal_id}'.")
    consume(world, world.orgs[found["org_id"]], ["portal_views"])
    return {
        "public_portal_id": portal_id,
        "mode": "guest_quick_open",
        "entry_kind": "door",
        "door_connected": True,
        "name": found["name"],
    }


@operation("translate_locale_content")
def translate(world: World, call: Call) -> Any:
    consume(world, world.own_org(call.caller, call.header.get("X-Org")), ["ai_requests"])
    body = call.body

    def into(locale: str, text: str) -> str:
        return f"[{locale}] {text}" if text else ""

    return {
        "translations": {
            locale: {"title": into(locale, body["title"]), "body": into(locale, body["body"])}
            for locale in body["target_locales"]
        }
    }


@operation("reverse_geocode")
def reverse_geocode(world: World, call: Call) -> Any:
    consume(world, world.own_org(call.caller, call.header.get("X-Org")), ["geocoding_requests"])
    lat, lng = call.body["lat"], call.body["lng"]

    def distance(city: str) -> float:
        _, north, east = CITIES[city]
        across = abs(lng - east)
        return math.hypot(lat - north, min(across, 360 - across) * math.cos(math.radians(lat)))

    city = min(CITIES, key=distance)
    country = CITIES[city][0]
    return {
        "city": city,
        "country": country,
        "formatted_address": f"1 Example Street, {city}, {country}",
        "lat": lat,
        "lng": lng,
        "geocoding_provider": "google",
        "provider_place_id": "mock-" + city.lower().replace(" ", "-"),
    }
