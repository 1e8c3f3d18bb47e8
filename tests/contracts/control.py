"""What the fuzzer is told about the control API that its bundle cannot say."""

from __future__ import annotations

from typing import Any

from .fuzzing import COMMON, Narrowing

NARROWED: Narrowing = {
    # One world that is there for good, and two names to create and delete.
    "/components/parameters/World/schema": {"type": "string", "enum": ["demo"]},
    "/components/schemas/CreateWorldRequest/properties/name": {"type": "string", "enum": ["made"]},
    "/components/schemas/ForkWorldRequest/properties/name": {"type": "string", "enum": ["forked"]},
    "/components/parameters/Api/schema": {"type": "string", "enum": ["openapp"]},
    "/components/schemas/CreateWorldRequest/properties/scenario": {"type": "string", "enum": ["demo"]},
    # Whose quotas there are, and which ones are metered, only the API knows.
    "/components/schemas/ConsumeUsageRequest/properties/api": {"type": "string", "enum": ["openapp"]},
    "/components/schemas/ConsumeUsageRequest/properties/org": {
        "type": "string",
        "enum": ["01J9ZC3M4N5P6Q7R8S9T0V1W2X"],
    },
    "/components/schemas/ConsumeUsageRequest/properties/key": {"type": "string", "enum": ["door_opens", "ai_requests"]},
}
CONFIG: dict[str, Any] = {
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
            # A duration may lead past the years that a world can hold, and an instant outside of them. In a sequence
            # the world may have been deleted.
            "include-operation-id": "move_clock",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409"]}},
        },
        {
            "include-operation-id": "create_world",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409"]}},
        },
    ],
}
