"""The pages that hosted checkout and portal links lead to. The provider would show them; here they say what is going on."""

from __future__ import annotations

import html
import json
import shlex
from collections.abc import Mapping

from mock_server.engine.decisions import Context
from mock_server.engine.instants import SECOND
from mock_server.webhooks.schemes.protocol import Message

from .model.state import OpenApp, Org, Subscription
from .model.webhook_ingress import PROVIDERS


def checkout_page(
    state: OpenApp, context: Context, external_id: str, query: Mapping[str, str], base_url: str
) -> str | None:
    """`checkout/{external_id}`: what is to be paid, and the command that reports the payment."""
    org = state.orgs.get(state.by_external_id.get(external_id, ""))
    if org is None:
        return None
    for known in (org.pending, org.subscription):
        if known is not None and known.external_id == external_id:
            return _checkout(state, context, org, known, base_url)
    return None


def portal_page(state: OpenApp, context: Context, session: str, query: Mapping[str, str], base_url: str) -> str:
    """`portal/{session}`."""
    return_url = query.get("return_url", "")
    is_link = return_url.lower().startswith(("http://", "https://"))
    back = f'<p><a href="{html.escape(return_url)}">Back to the application</a></p>' if is_link else ""
    return f"<h1>Customer portal</h1><p>Here the provider would show invoices and payment methods.</p>{back}"


def _checkout(state: OpenApp, context: Context, org: Org, subscription: Subscription, base_url: str) -> str:
    shown = "".join(
        f"<tr><th>{name}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in (
            ("organization", org.label),
            ("present tier", org.tier_slug),
            ("wanted tier", subscription.tier_slug),
            ("status", subscription.status),
            ("provider", subscription.provider),
        )
    )
    head = f"<h1>Checkout</h1><table>{shown}</table>"
    secret = state.webhook_secrets.get(subscription.provider)
    if subscription.status != "pending" or secret is None:
        return f"{head}<p>There is nothing to pay here.</p>"
    event = {
        "id": f"evt_{subscription.external_id}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": context.now // SECOND,
        "data": {
            "object": {
                "client_reference_id": org.id,
                "subscription": subscription.external_id,
                "payment_status": "paid",
                "metadata": {"tier_slug": subscription.tier_slug},
            }
        },
    }
    body = json.dumps(event, separators=(",", ":"))
    signed = PROVIDERS[subscription.provider].sign(Message(body.encode()), secret, context.now // SECOND)
    headers = "".join(f" -H {shlex.quote(f'{name}: {value}')}" for name, value in signed.headers)
    url = f"{base_url}/api/v1/billing/webhooks/{subscription.provider}"
    command = f"curl -X POST {shlex.quote(url)} -H 'Content-Type: application/json'{headers} -d {shlex.quote(body)}"
    return (
        f"{head}<p>The tier changes when the provider reports the payment. Report it yourself, signed as the provider "
        f"would (good for {state.settings.webhook_tolerance_s} s of this world's time):</p>"
        f"<pre><code>{html.escape(command)}</code></pre>"
    )
