"""What no schema says of OpenApp's requests: what has to exist, and which well-formed values are refused all the same.

So that a made-up request that is valid succeeds, and nothing but the contract's own rules can refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.case import Case
from contracts.target import Target
from mock_server.engine.instants import DAY, InvalidTime, parse_instant

from .stock import KINDS, Stock, billing, override

ROOM = 1_000_000
"""A limit that no run reaches."""
FULL = 429
STOCKED = ("integration", "device", "entity", "zone", "api_key", "user", "execution")
"""What `Stock` makes before anything is tried, each after what it hangs on."""
NAMES: Mapping[str, str] = {
    "org_id": "org",
    "parent_id": "org",
    "subject_id": "org",
    "X-Org": "org",
    "integration_id": "integration",
    "device_id": "device",
    "zone_id": "zone",
    "parent_zone_id": "zone",
}
"""Members and parameters that name something, and what."""
CONSUMING = ("delete", "revoke", "restore", "purge", "cancel")
"""Verbs of operations whose request cannot be sent twice."""
OPERATOR = ("get_admin_quota_overrides", "post_admin_quota_override")
ONCE = frozenset({"Idempotency-Key"})
"""Headers that may not be sent again with another body."""
LEFT_OPEN = (("create_integration", "name"),)
"""Members that may be left out, for which a server then makes something up."""
TIMED = frozenset({"get_scripting_execution", "list_scripting_executions"})
"""Answers that are others a moment later, where nobody holds the clock."""
NOT_MADE_UP = frozenset({"post_billing_webhook"})
"""Judged by a signature over the bytes, which is the ingress laws' affair."""
EXPIRES_IN = ("90s", "12h", "2w", "P30D", "PT12H", "P3650D")
ROLES = ("execute", "entities:set_state")
QUOTA_OF: Mapping[str | None, str] = {
    "lifetime": "organizations",
    "per_session": "video_session_duration_seconds",
}
"""A quota that is counted over a period, and of which nothing here needs any more."""
LONGEST_KEY = 3650 * DAY


def settled(operation: str, body: Any, stock: Stock) -> Any:
    """The body with whatever it names replaced by what is there."""
    if not isinstance(body, Mapping):
        return body
    made = {
        name: there(stock, name) if name in NAMES and isinstance(each, str) else each for name, each in body.items()
    }
    more = _BY_OPERATION.get(operation)
    return made if more is None else more(made, stock)


def there(stock: Stock, name: str) -> str:
    """What a member or parameter of this name may name."""
    thing = NAMES[name]
    return stock.case.org if thing == "org" else stock[thing]


def _tier(body: dict[str, Any], stock: Stock) -> Any:
    if isinstance(body.get("tier_slug"), str):
        tiers = [each["slug"] for each in stock.case.ask("get_plans").json["plans"]]
        body["tier_slug"] = tiers[len(body["tier_slug"]) % len(tiers)]
    return body


def _kept(body: dict[str, Any], stock: Stock) -> Any:
    kind = next((kind for kind, plural in KINDS.items() if plural == body.get("resource")), None)
    if isinstance(body.get("resource_id"), str) and kind is not None:
        body["resource_id"] = stock[kind]
    return body


def _override(body: dict[str, Any], stock: Stock) -> Any:
    if isinstance(body.get("subject_type"), str):
        body["subject_type"] = "org"
    if isinstance(body.get("quota_key"), str):
        period = body.get("period")
        body["quota_key"] = QUOTA_OF.get(period if isinstance(period, str) else None, "voice_invocations")
    return _until(body, stock.case.now)


def _api_key(body: dict[str, Any], stock: Stock) -> Any:
    if isinstance(body.get("expires_in"), str):
        body["expires_in"] = EXPIRES_IN[len(body["expires_in"]) % len(EXPIRES_IN)]
        body.pop("expires_at", None)  # at most one of the two
    for name, values in (("scoped_roles", ROLES), ("scoped_entity_ids", (stock["entity"],))):
        if isinstance(body.get(name), list):
            body[name] = [values[n % len(values)] if isinstance(v, str) else v for n, v in enumerate(body[name])]
    return _until(body, stock.case.now, LONGEST_KEY)


def _until(body: dict[str, Any], now: int, most: int | None = None) -> dict[str, Any]:
    """A moment that has passed or is too far away becomes one that has not and is not."""
    text = body.get("expires_at")
    if isinstance(text, str):
        try:
            if now < parse_instant(text) and (most is None or parse_instant(text) < now + most):
                return body
        except InvalidTime:
            pass
        body["expires_at"] = "{{now+P30D}}"
    return body


def _roles(body: dict[str, Any], stock: Stock) -> Any:
    if isinstance(body.get("roles"), dict):
        given = list(body["roles"].values())
        body["roles"] = {stock.case.org: given[0]} if given else {}
    return body


_BY_OPERATION: Mapping[str, Callable[[dict[str, Any], Stock], Any]] = {
    "post_org_billing_checkout": _tier,
    "post_org_billing_degradation_resource": _kept,
    "post_admin_quota_override": _override,
    "create_api_key": _api_key,
    "create_user": _roles,
}


def make_room(case: Case) -> None:
    """Limits that no made-up request reaches; where there is no operator to set them, the largest plan that is sold."""
    if "operator" not in case.target.credentials:
        plans = case.ask("get_plans").json["plans"]
        largest = max(plans, key=lambda each: each["sort_order"])["slug"]
        case.ask(**billing(case, "checkout", json={"tier_slug": largest}))
        return
    usage = case.ask("get_org_billing_usage", path={"id": case.org}).json
    for item in usage["items"]:
        if item["period"] != "per_session":
            case.ask(**override(case, item["key"], ROOM, item["period"]))


def is_left_open(operation: str, body: Any) -> bool:
    """Whether a body leaves something for the server to make up."""
    return isinstance(body, Mapping) and any(operation == each and name not in body for each, name in LEFT_OPEN)


def is_masked(target: Target, status: int) -> bool:
    """Whether an answer may be due to a limit that could not be lifted."""
    return status == FULL and "operator" not in target.credentials
