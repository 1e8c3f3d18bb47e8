"""/_mock/worlds/{world}/faults: what is to go wrong, listed, counted, removable."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import msgspec

from mock_server.http.breaking import WITHOUT_BODY
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.store.faults import MOST_FAULTS, Delay, Fault, FaultExists, Rule, TooManyFaults
from mock_server.store.worlds import World

from .problems import FAULT_EXISTS, INVALID_FAULT, NO_SUCH_FAULT, TOO_MANY_FAULTS
from .worlds import world_of

_ONLY_FOR = {
    "status": ("answer", "malform"),
    "code": ("answer",),
    "message": ("answer",),
    "retry_after": ("answer",),
    "keep": ("truncate",),
    "how": ("lose", "truncate", "malform"),
}
_WAYS = {
    "lose": ("close", "reset"),
    "truncate": ("close", "reset"),
    "malform": ("not_json", "html", "empty", "missing_member", "unknown_member", "wrong_type", "null_member"),
}
_BEFORE = ("not_json", "html", "empty")
_OF_DELAY = {
    "fixed": ({"ms"}, set()),
    "uniform": ({"min_ms", "max_ms"}, set()),
    "lognormal": ({"median_ms", "sigma"}, {"max_ms"}),
}


async def list_faults(call: Call) -> Reply:
    return Reply({"faults": [_shown(each) for each in world_of(call).faults]})


async def add_fault(call: Call) -> Reply:
    world, body = world_of(call), call.body
    if (complaint := _complaint(call, body)) is not None:
        raise Refusal(INVALID_FAULT(reason=complaint))
    how = body.get("how") or (_WAYS[body["do"]][0] if body["do"] in _WAYS else None)
    try:
        rule = msgspec.convert({"id": "", **body, "how": how}, Rule)
        fault = world.faults.add(rule)
    except FaultExists:
        raise Refusal(FAULT_EXISTS(world=world.name, fault=body["id"])) from None
    except TooManyFaults:
        raise Refusal(TOO_MANY_FAULTS(world=world.name, most=MOST_FAULTS)) from None
    location = f"{call.base_url}/_mock/worlds/{world.name}/faults/{fault.rule.id}"
    return Reply(_shown(fault), 201, (("Location", location),))


async def clear_faults(call: Call) -> Reply:
    world_of(call).faults.clear()
    return Reply(None, 204)


async def get_fault(call: Call) -> Reply:
    world, name = world_of(call), call.path["fault"]
    fault = world.faults.get(name)
    if fault is None:
        raise _unknown(world, name)
    return Reply(_shown(fault))


async def remove_fault(call: Call) -> Reply:
    world, name = world_of(call), call.path["fault"]
    if not world.faults.remove(name):
        raise _unknown(world, name)
    return Reply(None, 204)


def _unknown(world: World, name: str) -> Refusal:
    there_are = ", ".join(each.rule.id for each in world.faults) or "none"
    return Refusal(NO_SUCH_FAULT(world=world.name, fault=name, there_are=there_are[:500]))


def _complaint(call: Call, body: dict[str, Any]) -> str | None:
    """What the schema cannot say of members that depend on each other."""
    when, do, how = body["when"], body["do"], body.get("how")
    if (when == "duplicate") != (do == "repeat"):
        return "`repeat` is what `duplicate` does, and nothing else does"
    if do == "truncate" and when != "after":
        return "only an answer that is there can be cut off: use `after`"
    if do == "answer" and "status" not in body:
        return "`answer` needs a `status`"
    if do == "delay" and "delay" not in body:
        return "`delay` needs a `delay`"
    if "delay" in body and when == "duplicate":
        return "`duplicate` takes no `delay`; add a second fault"
    for name, allowed in _ONLY_FOR.items():
        if name in body and do not in allowed:
            return f"`{name}` is for {' and '.join(allowed)}, not for {do}"
    if how is not None and how not in _WAYS[do]:
        return f"{do} can be done so: {', '.join(_WAYS[do])}"
    if do == "malform" and body.get("status") in WITHOUT_BODY:
        return f"an answer with the status {body['status']} has no body that could be damaged"
    if when == "before" and do == "malform" and how not in (None, *_BEFORE):
        return f"before the work there is no answer to damage: use `after`, or {', '.join(_BEFORE)}"
    return _about_delay(body.get("delay")) or _about_operation(call, body.get("operation"), body.get("method"))


def _about_delay(delay: dict[str, Any] | None) -> str | None:
    if delay is None:
        return None
    name = delay["distribution"]
    needed, allowed = _OF_DELAY[name]
    given = delay.keys() - {"distribution"}
    if not needed <= given <= needed | allowed:
        members = ", ".join(sorted(needed)) + "".join(f", perhaps {each}" for each in sorted(allowed))
        return f"a delay that is {name} takes {members}"
    if name == "uniform" and delay["min_ms"] > delay["max_ms"]:
        return "a delay's min_ms is above its max_ms"
    return None


def _about_operation(call: Call, operation: str | None, method: str | None) -> str | None:
    if operation is None:
        return None
    known = {name: each for served in call.mock.served.values() for name, each in served.contract.operations.items()}
    if operation not in known:
        near = get_close_matches(operation, sorted(known), n=3)
        return f"there is no operation {operation!r}" + (f"; the nearest are {', '.join(near)}" if near else "")
    its_own = known[operation].method
    if method in (None, its_own) or (method, its_own) == ("HEAD", "GET"):
        return None
    return f"{operation} is asked with {its_own}, never with {method}"


def _shown(fault: Fault) -> dict[str, Any]:
    rule: dict[str, Any] = msgspec.structs.asdict(fault.rule)
    delay: Delay | None = fault.rule.delay
    return {
        **rule,
        "delay": None if delay is None else msgspec.to_builtins(delay),
        "matched": fault.matched,
        "acted": fault.acted,
        "remaining": fault.remaining,
    }
