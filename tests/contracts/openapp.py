"""What the fuzzer is told about OpenApp that the bundle cannot say: what there is, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .fuzzing import COMMON, SEQUENCES, SINGLE, Narrowing

SCENARIO = Path(__file__).with_name("fuzzed.yaml")
ACME = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
FAMILIES = {
    "organizations": ["organizations", "plans", "billing", "degradation", "admin"],
    "devices": ["integrations", "devices", "entities"],
    "zones": ["zones"],
    "api keys": ["api-keys"],
    "users": ["users"],
    "scripts": ["scripting"],
}
"""Tags whose operations lead to each other. All in one, hardly any sequence would stay with a resource for long."""
LIVE = {
    "integrations": "01JRZ8Q4T7X2M5N9P0R3S6V1W7",
    "zones": "01JRZ8Q4T7X2M5N9P0R3S6V1X3",
    "devices": "01JRZ8Q4T7X2M5N9P0R3S6V1X1",
    "entities": "01JRZ8Q4T7X2M5N9P0R3S6V1X2",
    "api-keys": "01JRZ8Q4T7X2M5N9P0R3S6V1X5",
}
DELETED = {
    "integrations": "01JRZ8Q4T7X2M5N9P0R3S6V1D1",
    "zones": "01JRZ8Q4T7X2M5N9P0R3S6V1D2",
    "devices": "01JRZ8Q4T7X2M5N9P0R3S6V1D4",
    "entities": "01JRZ8Q4T7X2M5N9P0R3S6V1D5",
    "api-keys": "01JRZ8Q4T7X2M5N9P0R3S6V1D6",
}
USER = "01JRZ8Q4T7X2M5N9P0R3S6V1X6"


def one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _schema(name: str, **members: Any) -> Narrowing:
    return {f"/components/schemas/{name}/properties/{member}": narrow for member, narrow in members.items()}


def _path(path: str) -> str:
    return f"/paths/{path.replace('/', '~1')}"


def narrowing(kind: str, execution: str) -> Narrowing:
    """What exists in the world, which a schema cannot know. Any other value would be refused (rightly) and hide all
    that is behind it; as an enumeration here, "any other value" is what the fuzzer sends as invalid.

    `execution`: the id of a script that is pending.
    """
    # In sequences a limit that nothing of theirs counts against: another would refuse all that follows.
    limited = ("lifetime", "devices", "zones") if kind == SINGLE else ("day", "voice_invocations")
    period: dict[str, Any] = {"type": "string", "nullable": True, "enum": [limited[0], None]}
    integration, zone = one_of(LIVE["integrations"]), one_of(LIVE["zones"])
    ids = {
        f"/{each}/{{id}}{more}": rows[each]
        for each in LIVE
        for more, rows in {"": LIVE, "/restore": DELETED, "/purge": DELETED}.items()
    }
    ids |= {
        "/entities/{id}/actions/{action_id}": LIVE["entities"],
        "/users/{id}": USER,
        "/scripting/executions/{id}": execution,
    }
    parameters = {path: _parameter("path", "id", one_of(row)) for path, row in ids.items()}
    if kind == SINGLE:
        places = {f"{_path(path)}/parameters/0": each for path, each in parameters.items()}
    else:
        # Without X-Correlation-Id, since ensure_resource_availability looks only where links give all parameters.
        places = {f"{_path(path)}/parameters": [each] for path, each in parameters.items()}
        places[f"{_path('/entities/{id}/actions/{action_id}')}/parameters"] += [
            {"$ref": "#/components/parameters/ActionId"}
        ]
    return {
        "/components/parameters/OrganizationId/schema": one_of(ACME),
        "/components/parameters/XOrg/schema": one_of(ACME),
        "/components/parameters/PublicPortalId/schema": one_of("portal-demo"),
        "/components/parameters/ActionId/schema": one_of("switchable.open", "open"),
        "/components/schemas/ScopedRoles/items": one_of("execute", "entities:set_state"),
        "/components/schemas/ScopedEntityIds/items": one_of(LIVE["entities"]),
        "/components/schemas/UserRoles": {
            "type": "object",
            "additionalProperties": False,
            "properties": {ACME: {"type": "array", "maxItems": 20, "items": {"$ref": "#/components/schemas/RoleName"}}},
        },
        **_schema("CheckoutRequest", tier_slug=one_of("free", "starter", "pro", "business")),
        **_schema("CreateOrganizationRequest", parent_id=one_of(ACME)),
        **_schema("CreateIntegrationRequest", org_id=one_of(ACME)),
        **_schema("CreateDeviceRequest", org_id=one_of(ACME), integration_id=integration, zone_id=zone),
        **_schema("CreateEntityRequest", device_id=one_of(LIVE["devices"]), zone_id=zone),
        **_schema("CreateZoneRequest", integration_id=integration, parent_zone_id=zone),
        # The bundle leaves open which durations there are.
        **_schema("CreateApiKeyRequest", expires_in=one_of("90s", "12h", "2w", "P30D", "PT12H", "P3650D")),
        **_schema("SetResourceKeepRequest", resource=one_of("integrations"), resource_id=integration),
        **_schema("QuotaOverrideRequest", subject_type=one_of("org"), subject_id=one_of(ACME)),
        **_schema("QuotaOverrideRequest", quota_key=one_of(*limited[1:]), period=period),
        **places,
    }


def _parameter(place: str, name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": name, "in": place, "required": True, "schema": schema}


# An operator has no organization of its own, so that it has to name one where neither the body nor the path does.
X_ORG_REQUIRED: Narrowing = {
    f"{_path(path)}/{method}/parameters/0": _parameter("header", "X-Org", one_of(ACME))
    for method, paths in {
        "get": ("/integrations", "/devices", "/entities", "/zones", "/api-keys", "/users", "/scripting/executions"),
        "post": (
            "/zones", "/api-keys", "/users", "/scripting/executions", "/ai/translate-locale-content", "/reverse-geocode",
        ),
    }.items()
    for path in paths
}  # fmt: skip


def _operation(*names: str, **settings: Any) -> dict[str, Any]:
    return {"include-operation-id": list(names), **settings}


def _accepted(*statuses: str) -> dict[str, Any]:
    return {"checks": {"positive_data_acceptance": {"expected-statuses": list(statuses)}}}


OPERATIONS: list[dict[str, Any]] = [
    # A webhook is judged by its signature, which a fuzzer cannot make: what is well-formed is 400 as well.
    _operation(
        "post_billing_webhook",
        generation={"mode": "positive"},
        checks={"positive_data_acceptance": {"enabled": False}},
    ),
]
STRICT: dict[str, Any] = {
    # Schemathesis lets 401, 403, 404, 409, 429 and 5xx pass as acceptance, and 401, 405, 406, 409, 422, 428, 429 and 5xx
    # as rejection. Here all that is named exists, is allowed and has room, so that none of them can hide a wrong answer.
    # 403 and 404 stay as rejections: they are what well-formed ids of something else get.
    "positive_data_acceptance": {"expected-statuses": ["2xx"]},
    "negative_data_rejection": {"expected-statuses": ["400", "403", "404", "413", "415"]},
    "missing_required_header": {"expected-statuses": ["400"]},
}


def _in_sequences(*more: str) -> dict[str, Any]:
    """What is there, deleted or still holds something depends on what went before. All that is sent is valid; whatever
    Schemathesis takes for invalid has an id from a link, which is none of the enumerated ones.
    """
    expected = {"expected-statuses": ["2xx", "404", "409", "422", *more]}
    return {"positive_data_acceptance": expected, "negative_data_rejection": expected}


NOT_IMPLEMENTED = {"expected-statuses": ["2xx", "3xx", "4xx", "501"]}
SOFT_DELETED = [f"get_{each}" for each in ("integration", "device", "entity", "zone")]
"""GET answers 200 with `deleted_at` until they are purged, by design."""
CONFIG: Mapping[str, dict[str, Any]] = {
    SINGLE: {
        **COMMON,
        "checks": STRICT,
        "operations": [
            *OPERATIONS,
            # A date outside the years that a world can hold is well-formed and refused; no schema can say so.
            _operation("post_admin_quota_override", **_accepted("2xx", "400")),
            # So is one that has passed already, and so are two expiries.
            _operation("create_api_key", **_accepted("2xx", "400")),
            # 501 is the answer to an action that is unknown, which is what the fuzzer takes for invalid.
            _operation(
                "execute_entity_action",
                checks={
                    "not_a_server_error": NOT_IMPLEMENTED,
                    "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415", "501"]},
                },
            ),
        ],
    },
    SEQUENCES: {
        **COMMON,
        "checks": _in_sequences(),
        "operations": [
            *OPERATIONS,
            _operation("post_admin_quota_override", "create_api_key", checks=_in_sequences("400")),
            # A new entity may be of a type that cannot be opened.
            _operation("execute_entity_action", checks={**_in_sequences("501"), "not_a_server_error": NOT_IMPLEMENTED}),
            # DELETE cancels an execution, which is there as before, now with that status.
            _operation(*SOFT_DELETED, "get_scripting_execution", checks={"use_after_free": {"enabled": False}}),
        ],
    },
}
