"""How Schemathesis is run against our own server, and where it departs from its defaults, each with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp

ACME = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
Narrowing = Mapping[str, Mapping[str, Any]]

COMMON: dict[str, Any] = {
    "workers": 1,  # several threads give different requests in every run
    "max-failures": 20,
    "continue-on-failure": True,
    "generation": {"database": "none", "no-shrink": True},  # no state of an earlier run; failures of 4.32 do not shrink
    "cache": {"enabled": False},  # else ids that an earlier run saw are used again
    "output": {"sanitization": {"enabled": False}},
}

OPENAPP_NARROWED: Narrowing = {
    # What exists in the world, which a schema cannot know. Any other value would be refused (rightly) and hide all
    # that is behind it; as an enumeration here, "any other value" is what the fuzzer sends as invalid.
    "/components/parameters/OrganizationId/schema": {"type": "string", "enum": [ACME]},
    "/components/schemas/CheckoutRequest/properties/tier_slug": {
        "type": "string",
        "enum": ["free", "starter", "pro", "business"],
    },
    "/components/schemas/QuotaOverrideRequest/properties/subject_type": {"type": "string", "enum": ["org"]},
    "/components/schemas/QuotaOverrideRequest/properties/subject_id": {"type": "string", "enum": [ACME]},
    "/components/schemas/QuotaOverrideRequest/properties/quota_key": {"type": "string", "enum": ["devices", "zones"]},
    "/components/schemas/QuotaOverrideRequest/properties/period": {
        "type": "string",
        "nullable": True,
        "enum": ["lifetime", None],
    },
}
OPENAPP: dict[str, Any] = {
    **COMMON,
    "operations": [
        {
            # A webhook is judged by its signature, which a fuzzer cannot make: what is well-formed is 400 as well.
            "include-operation-id": "post_billing_webhook",
            "generation": {"mode": "positive"},
            "checks": {"positive_data_acceptance": {"enabled": False}},
        },
        {
            # No resource can be created yet, so a well-formed request finds none: 404 is the right answer.
            "include-operation-id": "post_org_billing_degradation_resource",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404"]}},
        },
        {
            # A date outside the years that a world can hold is well-formed and refused; no schema can say so.
            "include-operation-id": "post_admin_quota_override",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400"]}},
        },
    ],
}

CONTROL_NARROWED: Narrowing = {
    # One world that is there for good, and two names to create and delete.
    "/components/parameters/World/schema": {"type": "string", "enum": ["demo"]},
    "/components/schemas/CreateWorldRequest/properties/name": {"type": "string", "enum": ["made"]},
    "/components/schemas/ForkWorldRequest/properties/name": {"type": "string", "enum": ["forked"]},
    "/components/parameters/Api/schema": {"type": "string", "enum": ["openapp"]},
    "/components/schemas/CreateWorldRequest/properties/scenario": {"type": "string", "enum": ["demo"]},
}
CONTROL: dict[str, Any] = {
    **COMMON,
    "operations": [
        # Which settings there are, and what an API keeps as its state, only that API knows: well-formed is not enough.
        {
            "include-operation-id": "change_settings",
            "checks": {"positive_data_acceptance": {"enabled": False}},
        },
        {
            "include-operation-id": "put_state",
            "checks": {"positive_data_acceptance": {"enabled": False}},
        },
        {
            # A duration may lead past the years that a world can hold, and an instant outside of them.
            "include-operation-id": "move_clock",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "409"]}},
        },
        {
            "include-operation-id": "create_world",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409"]}},
        },
    ],
}


def narrowed(bundle: Mapping[str, Any], changes: Narrowing) -> dict[str, Any]:
    """A copy of the bundle with the subtrees at some JSON pointers replaced."""
    copy: dict[str, Any] = json.loads(json.dumps(bundle))
    for pointer, subtree in changes.items():
        *steps, last = pointer.split("/")[1:]
        node = copy
        for step in steps:
            node = node[step]
        assert last in node, pointer
        node[last] = subtree
    return copy


def failures(
    app: ASGIApp,
    bundle: Mapping[str, Any],
    config: Mapping[str, Any],
    auth: Mapping[str, Any],
    *,
    seed: int,
    examples: int,
) -> tuple[list[str], dict[str, int]]:
    """Run all phases. What failed, in one line each, and how many cases each phase checked."""
    generation = {**config["generation"], "max-examples": examples}
    base_url = "http://127.0.0.1:4010" + bundle["servers"][0]["url"]
    settings = {**config, "seed": seed, "generation": generation, "base-url": base_url, "auth": auth}
    schema = schemathesis.openapi.from_dict(dict(bundle), config=SchemathesisConfig.from_dict(settings))
    schema.app = app
    found: list[str] = []
    cases: dict[str, int] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            cases[event.phase.value] = cases.get(event.phase.value, 0) + len(event.recorder.cases)
            found += list(_failed(event))
        elif isinstance(event, events.NonFatalError):
            found.append(f"error: {event.label}: {event.value}")
        elif isinstance(event, events.EngineFinished):
            found += [f"after the run: {failure}" for failure in getattr(event, "failures", None) or ()]
    return found, cases


def _failed(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                interaction = event.recorder.interactions.get(case_id)
                status = getattr(getattr(interaction, "response", None), "status_code", None)
                code = check.failure_info.code_sample
                yield f"{event.phase.value}: {event.label}: {check.name}: {failure.title} ({status}) {failure.message} {code}"
