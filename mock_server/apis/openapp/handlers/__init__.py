"""What Connexion calls for each operation: take the request apart, ask the model, give its reply."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.api import Handler

from . import billing, catalog, operator, webhooks

HANDLERS: Mapping[str, Handler] = {
    "get_status": catalog.get_status,
    "get_plans": catalog.get_plans,
    "get_org_billing_plan": billing.get_plan,
    "get_org_billing_upgrade_options": billing.get_upgrade_options,
    "get_org_billing_usage": billing.get_usage,
    "get_org_billing_degradation": billing.get_degradation,
    "put_org_billing_degradation_policy": billing.put_degradation_policy,
    "post_org_billing_degradation_resource": billing.post_degradation_resource,
    "post_org_billing_checkout": billing.post_checkout,
    "post_org_billing_portal": billing.post_portal,
    "get_admin_quota_overrides": operator.get_quota_overrides,
    "post_admin_quota_override": operator.post_quota_override,
    "post_billing_webhook": webhooks.post_webhook,
}
"""operationId -> handler."""
