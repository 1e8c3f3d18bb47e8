"""The pages that hosted checkout and portal links lead to. The provider would show them; here they say what is going on."""

from __future__ import annotations

import html
import json
import shlex
from collections.abc import Mapping

from mock_server.engine.decisions import Context
from mock_server.engine.instants import SECOND
from mock_server.webhooks.schemes.protocol import InvalidSecret, Message

from .model.providers import PROVIDERS
from .model.state import OpenApp, Org, Subscription


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
    command = _report(state, context, org, subscription, base_url)
    if command is None:
        return f"{head}<p>There is nothing to pay here.</p>"
    provider, tolerance = PROVIDERS[subscription.provider], state.settings.webhook_tolerance_s
    is_timed = "time" in provider.scheme.uses and tolerance
    until = f" (good for {tolerance} s of this world's time)" if is_timed else ""
    return (
        f"{head}<p>The tier changes when the provider reports the payment. Report it yourself, signed as the provider "
        f"would{until}:</p>"
        f"<pre><code>{html.escape(command)}</code></pre>"
    )


def _report(state: OpenApp, context: Context, org: Org, subscription: Subscription, base_url: str) -> str | None:
    """The command that tells of the payment; None if none is waited for, or nobody could sign it."""
    provider, secrets = PROVIDERS.get(subscription.provider), state.webhook_secrets.get(subscription.provider)
    if subscription.status != "pending" or provider is None or not secrets:
        return None
    now = context.now // SECOND
    event = provider.paid(org.id, subscription, state.catalog.tiers[subscription.tier_slug], now)
    body = json.dumps(event, separators=(",", ":"))
    url = f"{base_url}/api/v1/billing/webhooks/{subscription.provider}"
    try:
        signed = provider.scheme.sign(Message(body.encode(), url), secrets[0], now)
    except InvalidSecret:
        return None
    headers = "".join(f" -H {shlex.quote(f'{name}: {value}')}" for name, value in signed.headers)
    return f"curl -X POST {shlex.quote(url)} -H 'Content-Type: application/json'{headers} -d {shlex.quote(body)}"
