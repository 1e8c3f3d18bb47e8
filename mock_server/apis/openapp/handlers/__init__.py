"""What Connexion calls for each operation: take the request apart, ask the model, give its reply."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.api import Handler

from . import actions, api_keys, billing, catalog, operator, organizations, webhooks
from .resources import handlers_of

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
    "create_org": organizations.create_org,
    "list_orgs": organizations.list_orgs,
    "get_org": organizations.get_org,
    "get_org_permissions": organizations.get_org_permissions,
    "create_user": organizations.post_user,
    "list_users": organizations.get_users,
    "get_user": organizations.get_one_user,
    "delete_user": organizations.remove_user,
    **handlers_of("integration", "integrations"),
    **handlers_of("device", "devices", "integration_id"),
    **handlers_of("entity", "entities", "device_id", "zone_id"),
    **handlers_of("zone", "zones", "integration_id"),
    "execute_entity_action": actions.execute_entity_action,
    "create_api_key": api_keys.post_api_key,
    "list_api_keys": api_keys.get_api_keys,
    "revoke_api_key": api_keys.revoke_api_key,
    "restore_api_key": api_keys.restore_api_key,
    "purge_api_key": api_keys.purge_api_key,
    "create_scripting_execution": actions.create_execution,
    "list_scripting_executions": actions.list_executions,
    "get_scripting_execution": actions.get_execution,
    "cancel_scripting_execution": actions.cancel_execution,
    "get_public_portal": actions.get_public_portal,
    "translate_locale_content": actions.translate,
    "reverse_geocode": actions.reverse_geocode,
}
"""operationId -> handler."""
