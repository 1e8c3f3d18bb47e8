"""What a payment provider reports, in Stripe's shapes, and the stories that were recorded of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.case import Case
from mock_server.engine.instants import SECOND
from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import load_capture

from .stock import is_bound

SUBSCRIPTION = "sub_{{try}}"
RECORDED_FOR = {"01J9ZC3M4N5P6Q7R8S9T0V1W2X": "{{org}}", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y": "{{other_org}}"}
"""The organizations of the recorded stories, and those that stand for them here."""
RECORDED_IDS = ("evt_", "sub_1T")
"""What a provider makes only once begins like this."""


class Provider:
    """Sends a case's events, each with an id of its own and a second later than the one before."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._numbers = 0
        self._start = case.now // SECOND - 1000

    def event(self, kind: str, thing: Mapping[str, Any], *, at: int | None = None, name: str = "") -> dict[str, Any]:
        """`at`: how many seconds after the start it was created; `name`: of an id that is not new."""
        self._numbers += 1
        created = self._start + (10 * self._numbers if at is None else at)
        return {
            "id": f"evt_{{{{try}}}}_{name or self._numbers}",
            "object": "event",
            "type": kind,
            "created": created,
            "data": {"object": thing},
        }

    def send(self, event: Any, **signing: Any) -> None:
        """Signed in this way (see `contracts.signing`). Where only what the run has made may be named in a write, an
        event that names nobody is left out.
        """
        if is_bound(self.case) and (not _names_somebody(event) or signing.get("body") == "cut"):
            return
        self.case.ask(
            "post_billing_webhook",
            None,
            path={"provider": "stripe"},
            json=event,
            signing=signing,
            media_type="application/json",
        )

    def tell(self, kind: str, thing: Mapping[str, Any], **more: Any) -> None:
        """A new event, rightly signed, and a look at the plan that follows from it."""
        self.send(self.event(kind, thing, **more))
        self.look()

    def look(self) -> None:
        self.case.ask("get_org_billing_plan", path={"id": self.case.org})


def _names_somebody(event: Any) -> bool:
    thing = event.get("data", {}).get("object") if isinstance(event, dict) else None
    return isinstance(thing, dict) and bool(
        (thing.get("metadata") or {}).get("org_id") or thing.get("client_reference_id")
    )


def subscription(
    case: Case, status: str = "active", price: str | None = "price_pro_monthly", **more: Any
) -> dict[str, Any]:
    """What `customer.subscription.*` events are about."""
    items = (
        [] if price is None else [{"id": "si_1", "object": "subscription_item", "price": {"id": price}, "quantity": 1}]
    )
    return {
        "id": SUBSCRIPTION,
        "object": "subscription",
        "customer": "cus_{{try}}",
        "status": status,
        "metadata": {"org_id": case.org},
        "items": {"object": "list", "data": items},
        **more,
    }


def session(case: Case, tier: str | None = "pro", **more: Any) -> dict[str, Any]:
    """What `checkout.session.completed` is about."""
    metadata = {"org_id": case.org} if tier is None else {"org_id": case.org, "tier_slug": tier}
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "mode": "subscription",
        "client_reference_id": case.org,
        "customer": "cus_{{try}}",
        "subscription": SUBSCRIPTION,
        "payment_status": "paid",
        "metadata": metadata,
        **more,
    }


def invoice(of: str = SUBSCRIPTION, newer: bool = False, **more: Any) -> dict[str, Any]:
    """What `invoice.*` events are about, in the older and in the newer of the provider's shapes."""
    parent: dict[str, Any] = {"parent": {"type": "subscription_details", "subscription_details": {"subscription": of}}}
    return {
        "id": "in_1",
        "object": "invoice",
        "customer": "cus_{{try}}",
        **(parent if newer else {"subscription": of}),
        **more,
    }


def story(name: str) -> list[Any]:
    """The events of a recorded story, in their order, as if they were about the organizations of a case."""
    files = sorted((FIXTURES / "webhooks" / "stripe").glob(f"{name}-*.json"))
    return [_retold(json.loads(load_capture(file).body)) for file in files]


def _retold(value: Any) -> Any:
    if isinstance(value, str):
        again = value.startswith(RECORDED_IDS)
        return f"{value}_{{{{try}}}}" if again else RECORDED_FOR.get(value, value)
    if isinstance(value, dict):
        return {name: _retold(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_retold(each) for each in value]
    return value
