"""What Stripe reports."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from ulid import ULID

from .billing import set_tier
from .call import Call, operation
from .errors import Refusal
from .state import Org, World
from .strict import read_json

TOLERANCE = 300
KINDS = {
    "customer.subscription.created": "subscription_created",
    "customer.subscription.updated": "subscription_updated",
    "customer.subscription.deleted": "subscription_canceled",
    "invoice.paid": "invoice_paid",
    "invoice.payment_succeeded": "invoice_paid",
    "invoice.payment_failed": "invoice_failed",
}
STATUSES = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "paused": "past_due",
    "incomplete": "pending",
    "incomplete_expired": "canceled",
    "canceled": "canceled",
}


def _refuse(code: str, reason: str, provider: str) -> Refusal:
    return Refusal(400, code, f"The webhook is not accepted: {reason}.", {"provider": provider})


def _check_signature(world: World, provider: str, header: str, body: bytes) -> None:
    if not header.strip():
        raise _refuse("signature_missing", "the request has no Stripe-Signature header", provider)
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]) or not given:
        raise _refuse("signature_invalid", "the Stripe-Signature header is not t=...,v1=...", provider)
    secret = world.webhook_secrets[provider].encode()
    right = hmac.new(secret, stamps[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(right.encode(), one.encode()) for one in given):
        raise _refuse("signature_invalid", "no v1 signature fits the timestamp, the body and the secret", provider)
    age = int(world.now.timestamp()) - int(stamps[0])
    if age > TOLERANCE:
        raise _refuse("signature_expired", f"signed {age} s ago; at most {TOLERANCE} s are tolerated", provider)


def _dig(node: Any, *path: str | int) -> Any:
    for part in path:
        if isinstance(node, dict):
            node = node.get(part)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return None
    return node


def _text(value: Any, most: int = 255) -> str | None:
    """A string, or the id of an expanded object."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and 0 < len(value) <= most else None


def _is_taken_back(item: Any) -> bool:
    amount = _dig(item, "amount")
    return isinstance(amount, int) and amount < 0


class Event:
    """A provider's event with the parts that matter picked out."""

    def __init__(self, world: World, provider: str, body: bytes) -> None:
        try:
            raw = read_json(body)
        except ValueError as error:
            raise _refuse("invalid_payload", f"the body is not JSON: {error}", provider) from error
        data = _dig(raw, "data", "object")
        created = _dig(raw, "created")
        if not isinstance(data, dict) or not _text(_dig(raw, "id")) or not _text(_dig(raw, "type")):
            raise _refuse("invalid_payload", "the body is not an event", provider)
        if created is not None and (not isinstance(created, int) or isinstance(created, bool)):
            raise _refuse("invalid_payload", "the event's 'created' is not a number of seconds", provider)
        self.raw = raw
        self.id: str = raw["id"]
        self.type: str = raw["type"]
        self.created: int = int(world.now.timestamp()) if created is None else created
        self.object: dict[str, Any] = data
        self.kind = KINDS.get(self.type, "other")
        if self.type == "checkout.session.completed" and data.get("mode") == "subscription":
            self.kind = "subscription_created"
        self.about_plan = self.kind.startswith("subscription_")
        self.customer = _text(data.get("customer"))
        self.subscription = self._subscription_id()
        self.metadata = [
            found
            for found in (
                data.get("metadata"),
                _dig(data, "subscription_details", "metadata"),
                _dig(data, "parent", "subscription_details", "metadata"),
            )
            if isinstance(found, dict)
        ]
        self.tier = self._tier(world)
        self.status = self._status()

    def _subscription_id(self) -> str | None:
        if self.type.startswith("customer.subscription."):
            return _text(self.object.get("id"))
        return _text(self.object.get("subscription")) or _text(
            _dig(self.object, "parent", "subscription_details", "subscription")
        )

    def _tier(self, world: World) -> str | None:
        for metadata in self.metadata:
            slug = metadata.get("tier_slug")
            if isinstance(slug, str) and slug:
                return slug if slug in world.tiers else None
        lists = [_dig(self.object, name, "data") for name in ("items", "lines", "line_items")]
        items = [item for found in lists if isinstance(found, list) for item in found]
        for item in (item for item in items if not _is_taken_back(item)):
            for where in (("price",), ("pricing", "price_details", "price"), ("plan",)):
                price = _text(_dig(item, *where))
                for slug, tier in world.tiers.items():
                    if price and price in tier.get("provider_prices", {}).get("stripe", ()):
                        return slug
        return None

    def _status(self) -> str | None:
        if self.kind == "subscription_canceled":
            return "canceled"
        if self.kind == "invoice_failed":
            return "past_due"
        if self.kind == "invoice_paid" or self.type == "checkout.session.completed":
            return "active" if self.kind != "other" else None
        status = self.object.get("status")
        return STATUSES.get(status) if self.about_plan and isinstance(status, str) else None

    def org(self, world: World) -> Org | None:
        wanted = [self.object.get("client_reference_id"), *(found.get("org_id") for found in self.metadata)]
        named = next((world.orgs[each] for each in wanted if isinstance(each, str) and each in world.orgs), None)
        for org in world.orgs.values():
            if self.subscription and org.subscription and org.subscription["external_id"] == self.subscription:
                return org if named in (None, org) else None
        return named

    def shown(self, provider: str) -> dict[str, Any]:
        if self.kind == "other":
            nothing = ("external_subscription_id", "status", "tier_slug")
            shown = {"kind": "other", "provider": provider, "raw": self.raw, "external_customer_id": self.customer}
            return shown | dict.fromkeys(nothing)
        return {
            "kind": self.kind,
            "provider": provider,
            "raw": self.raw,
            "external_customer_id": self.customer,
            "external_subscription_id": self.subscription,
            "status": self.status,
            "tier_slug": self.tier,
        }


def _apply(world: World, provider: str, event: Event) -> None:
    org = event.org(world)
    if org is None or event.kind == "other":
        return
    known = org.subscription
    same = known is not None and event.subscription in {None, known["external_id"]}
    if known and not same and known["status"] != "canceled" and event.kind == "subscription_canceled":
        return  # the end of a subscription that another one has replaced
    begins = not event.about_plan and known is None and event.tier is not None
    if not event.about_plan and not same and not begins:
        return
    place = (provider, event.subscription or (known or {}).get("external_id") or org.id)
    newest = world.applied.setdefault(place, {})
    overtaken = event.created < newest.get("any", event.created)
    if overtaken and (not event.about_plan or event.created < newest.get("plan", event.created)):
        return
    newest["any"] = max(event.created, newest.get("any", event.created))
    if event.about_plan or begins:
        if event.about_plan:
            newest["plan"] = event.created
        _apply_plan(world, provider, org, event, overtaken)
    elif known and known["status"] in {"active", "past_due", "pending"}:
        known["status"] = event.status


def _apply_plan(world: World, provider: str, org: Org, event: Event, overtaken: bool) -> None:
    if event.status == "canceled":
        if org.subscription:
            org.subscription["status"] = "canceled"
        set_tier(world, org, world.default_tier)
        return
    known = org.subscription
    if known and known["status"] == "canceled" and event.subscription in {None, known["external_id"]}:
        return
    tier = event.tier or (known["tier_slug"] if known else None)
    if tier is None:
        return
    if known is None or event.subscription not in {None, known["external_id"]}:
        known = org.subscription = {
            "external_id": event.subscription or f"sub_{ULID()}",
            "subscription_id": known["subscription_id"] if known else str(ULID()),
            "provider": provider,
            "status": "active",
            "tier_slug": tier,
        }
    known["tier_slug"] = tier
    if event.status and not overtaken:
        known["status"] = event.status
    if event.status != "pending":
        set_tier(world, org, tier)


@operation("post_billing_webhook")
def receive(world: World, call: Call) -> Any:
    provider = call.path["provider"]
    if provider not in world.webhook_secrets:
        names = ", ".join(world.webhook_secrets)
        message = f"No webhook secret is configured for provider '{provider}'; there are: {names}."
        raise Refusal(404, "not_found", message, {"provider": provider, "providers": names})
    _check_signature(world, provider, call.headers.get("stripe-signature", ""), call.raw)
    event = Event(world, provider, call.raw)
    if (provider, event.id) not in world.events_seen:
        world.events_seen.add((provider, event.id))
        _apply(world, provider, event)
    return {"provider": provider, "events": [event.shown(provider)]}
