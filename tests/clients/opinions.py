"""Second opinions: the models that openapp-sdk was generated with judge whatever was answered through a recorder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .proxy import Exchange
from .session import Conversation

REFUSAL = "ApiErrorResponse"

MODELS = {
    "GET /status": "BackendStatus",
    "GET /plans": "PlansResponse",
    "GET /orgs/{id}/billing/plan": "BillingPlanResponse",
    "GET /orgs/{id}/billing/upgrade-options": "PlansResponse",
    "GET /orgs/{id}/billing/usage": "QuotaReport",
    "GET /orgs/{id}/billing/degradation": "DegradationStatus",
    "PUT /orgs/{id}/billing/degradation/policy": "DegradationStatus",
    "POST /orgs/{id}/billing/degradation/resource": "DegradationStatus",
    "POST /orgs/{id}/billing/checkout": "SubscriptionRef",
    "POST /orgs/{id}/billing/portal": "PortalResponse",
    "POST /orgs": "OrganizationResponse",
    "GET /orgs/{id}": "OrganizationResponse",
    "GET /orgs/{id}/permissions": "OrgPermissionsResponse",
    "POST /api-keys": "CreateApiKeyResponse",
    "POST /api-keys/{id}/restore": "ApiKeyListItem",
    "POST /users": "UserResponse",
    "GET /users/{id}": "UserResponse",
    "POST /scripting/executions": "ScriptingExecution",
    "GET /scripting/executions/{id}": "ScriptingExecution",
    "GET /public/access/portals/{id}": "PublicPortalResponse",
    "POST /ai/translate-locale-content": "TranslateLocaleContentResponse",
    "POST /reverse-geocode": "ReverseGeocodeResponse",
}
"""What answers have to fit. Those of resources by id and of lists follow from the next two tables."""
RESOURCES = {
    "integrations": "IntegrationResponse",
    "devices": "DeviceResponse",
    "entities": "EntityResponse",
    "zones": "ZoneResponse",
}
for _plural, _model in RESOURCES.items():
    MODELS |= {f"POST /{_plural}": _model, f"POST /{_plural}/{{id}}/restore": _model}
    MODELS |= {f"{method} /{_plural}/{{id}}": _model for method in ("GET", "DELETE")}
    MODELS[f"DELETE /{_plural}/{{id}}/purge"] = _model
LISTS = {
    "GET /orgs": ("OrganizationResponse", None),
    "GET /integrations": ("IntegrationResponse", None),
    "GET /devices": ("DeviceResponse", None),
    "GET /entities": ("EntityResponse", "PaginatedResponseEntityResponse"),
    "GET /zones": ("ZoneResponse", "PaginatedResponseZoneResponse"),
    "GET /api-keys": ("ApiKeyListItem", "PaginatedResponseApiKeyListItem"),
    "GET /users": ("UserResponse", "PaginatedResponse"),
    "GET /scripting/executions": ("ScriptingExecutionSummary", None),
}
"""The model of an item, and that of the page where there is one."""
UNMODELLED = {
    "POST /entities/{id}/actions/{action}": "the published document leaves its answer open",
    "GET /admin/quota_overrides": "the published document gives it no body",
    "POST /admin/quota_overrides": "the same",
    "POST /billing/webhooks/{provider}": "is not in 1.0.1 any more; the models of 0.1.61 judge it elsewhere",
}
BODILESS = {
    "DELETE /api-keys/{id}",
    "DELETE /api-keys/{id}/purge",
    "DELETE /users/{id}",
    "DELETE /scripting/executions/{id}",
}
BARE = {"GET /devices", "GET /scripting/executions"}
"""Lists that are arrays, not pages."""

OUR_OWN = {
    "SubscriptionRef": {"checkout_url", "subscription_id"},
    REFUSAL: {"code", "details"},
    # Of the generation after 1.0.1; clients of this one ignore them.
    "IntegrationResponse": {"credentials_set"},
    "DeviceResponse": {"credentials_set", "zone_id"},
    "EntityResponse": {"org_id", "channel_index"},
    "ZoneResponse": {"org_id", "provider_links", "site_ids"},
    "UserResponse": {"first_name", "last_name"},
    "PublicPortalResponse": {"door_connected"},
}
"""Members that we add to what the models know, on purpose."""

LOCALIZED = {"name", "provider_type_name"}
WITH_LOCALIZED = {*RESOURCES.values(), "OrganizationResponse", "UserResponse", "PublicPortalResponse"} - {
    "EntityResponse"
}
"""Where names are maps from language to text."""


def as_modelled(model: str, body: Any) -> Any:
    """The body with names in the form that the models want: the one place where we know better than they.

    They declare LocalizedString as `{"value": {"en": "..."}}`, a slip of the generator's: their own description of it says
    `{ [locale: string]: string }`, and that flat map is what goes over the wire, here as in production.
    """
    if model.startswith("PaginatedResponse"):
        item = next(item for item, page in LISTS.values() if page == model)
        return {**body, "items": [as_modelled(item, each) for each in body["items"]]}
    if model not in WITH_LOCALIZED:
        return body
    return {name: {"value": value} if name in LOCALIZED else value for name, value in body.items()}


def operation(exchange: Exchange) -> str:
    """Method and path with its ids taken out."""
    path = re.sub(r"^(/w/[^/]+)?(/api/v1)?", "", exchange.path.partition("?")[0])
    path = re.sub(r"/actions/[^/]+$", "/actions/{action}", re.sub(r"(?<=/)[0-9A-Z]{26}(?=/|$)", "{id}", path))
    return f"{exchange.method} {re.sub('(?<=/portals/).+', '{id}', path)}"


def to_judge(exchange: Exchange) -> Iterator[tuple[str, Any]]:
    """What of an exchange has to fit which model."""
    body, asked = json.loads(exchange.body or b"null"), operation(exchange)
    if exchange.status >= 400:
        yield REFUSAL, body
    elif asked in BODILESS:
        assert (exchange.status, body) == (204, None), exchange
    elif asked in LISTS:
        item, page = LISTS[asked]
        assert isinstance(body, list) if asked in BARE else set(body) == {"items", "total"}, exchange
        yield from ((item, each) for each in (body if asked in BARE else body["items"]))
        if page is not None:
            yield page, body
    elif asked not in UNMODELLED:
        yield MODELS[asked], body


def objections(judge: Conversation, exchanges: Iterable[Exchange]) -> list[str]:
    """All that the models find wrong."""
    found = []
    for exchange in exchanges:
        for model, body in to_judge(exchange):
            verdict = judge.ask([model, as_modelled(model, body)])
            strange = verdict["errors"] + sorted(set(verdict["unknown"]) - OUR_OWN.get(model, set()))
            if strange:
                found.append(f"{operation(exchange)} {exchange.status} as {model}: {strange} in {body}")
    return found
