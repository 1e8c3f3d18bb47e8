"""What the fuzzer is told about the control API that its bundle cannot say: what there is, and what follows from it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from mock_server.app import create_app
from mock_server.engine.outbox import Happening
from mock_server.http.mock import Mock
from mock_server.store.deliveries import Endpoint
from mock_server.store.faults import Rule
from tests.api.client import Answer, Client, World

from .fuzzing import COMMON, SEQUENCES, SINGLE, Narrowing

WORLD, OTHER, KEPT = "fuzzed", "demo", "kept"
TOKEN = "s3cret"
ACME = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"


def one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


# What exists, which a schema cannot know. Any other value would be refused (rightly) and hide all that is behind it.
NARROWED: Narrowing = {
    "/components/parameters/World/schema": one_of(WORLD),
    "/components/parameters/With/schema": one_of(OTHER),
    "/components/parameters/Snapshot/schema": one_of(KEPT),
    "/components/parameters/SnapshotToCompare/schema": one_of(KEPT),
    "/components/parameters/Fault/schema": one_of(KEPT),
    "/components/parameters/Number/schema": {"type": "integer", "minimum": 1, "maximum": 1},
    "/components/parameters/Api/schema": one_of("openapp"),
    "/components/parameters/Endpoint/schema": one_of(KEPT),
    "/components/parameters/EndpointFilter/schema": one_of(KEPT),
    "/components/parameters/WebhookDelivery/schema": one_of("delivery-1"),
    "/components/schemas/EmitWebhookRequest/properties/endpoint": one_of(KEPT),
    "/components/schemas/WebhookUrl": one_of("http://127.0.0.1:9/hooks", "http://localhost/"),
    # Whose secrets may be any text.
    "/components/schemas/SchemeName": one_of("stripe", "paddle", "square"),
    "/components/schemas/EmitWebhookRequest/properties/event": one_of("invoice.paid", "quota.reached"),
    "/components/schemas/EmitWebhookRequest/properties/api": one_of("openapp"),
    "/components/schemas/EmitWebhookRequest/properties/org": one_of(ACME),
    "/components/schemas/EmitWebhookRequest/properties/count": {"type": "integer", "enum": [1, 2]},
    "/components/schemas/AddWebhookEndpointRequest/properties/id": one_of("made"),
    # Longer waits are the same and take longer.
    "/components/parameters/Wait/schema": {"type": "integer", "enum": [0, 1]},
    "/components/parameters/WaitUntilSent/schema": {"type": "integer", "enum": [0, 1]},
    "/components/schemas/CreateWorldRequest/properties/name": one_of("made"),
    "/components/schemas/ForkWorldRequest/properties/name": one_of("forked"),
    # The one that can make up organizations, and few of them, since every one takes its time.
    "/components/schemas/CreateWorldRequest/properties/scenario": one_of("generated"),
    "/components/schemas/WorldOptions/properties/orgs": {"type": "integer", "enum": [0, 1, 2]},
    "/components/schemas/AddFaultRequest/properties/operation": one_of("get_plans", "create_zone"),
    # Whose quotas there are, and which ones are metered, only the API knows.
    "/components/schemas/ConsumeUsageRequest/properties/api": one_of("openapp"),
    "/components/schemas/ConsumeUsageRequest/properties/org": one_of(ACME),
    "/components/schemas/ConsumeUsageRequest/properties/key": one_of("door_opens", "ai_requests"),
}


MADE_IN_SEQUENCES = {
    "POST /worlds/{world}/snapshots",
    "POST /worlds/{world}/faults",
    "POST /worlds/{world}/webhook-endpoints",
}
REACHED_BY_LINKS = {
    "POST /worlds/{world}/snapshots/{snapshot}/restore",
    "DELETE /worlds/{world}/snapshots/{snapshot}",
    "GET /worlds/{world}/faults/{fault}",
    "DELETE /worlds/{world}/faults/{fault}",
    "GET /worlds/{world}/webhook-endpoints/{endpoint}",
    "DELETE /worlds/{world}/webhook-endpoints/{endpoint}",
}
"""Some of them, in so few sequences as a usual run has; which ones is left to chance."""


class Operator(Client):
    """Who has the control token."""

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        headers = {"authorization": f"Bearer {TOKEN}"} if path.startswith("/_mock") else {}
        return await super().ask(method, path, headers=headers, **more)


def is_a_beginning(operation: Any, *graph: Any) -> bool:
    """What creates or lists something, also in the one world that is there."""
    return operation.method in ("post", "get") and {each.name for each in operation.path_parameters} <= {"world"}


STATE = "/paths/~1worlds~1{world}~1state/put/requestBody/content/application~1json/example"


def stocking(mock: Mock) -> tuple[Callable[[], None], Narrowing]:
    """What leaves only one world with one of everything, and another one to compare it with, each time the same; and
    that world's state as the example of one, since none that is made up could be put back.
    """
    client = Operator(create_app(mock))
    # Reads what making up names takes, which must not happen first inside of a fuzzer's deep stack.
    made_up = {"name": "made-up", "scenario": "generated", "options": {"orgs": 1}}
    new = {"name": WORLD, "scenario": "demo", "seed": 7, "now": "2026-03-01T00:00:00Z"}
    for body in (made_up, new):
        assert client.request("POST", "/_mock/worlds", json=body).status == 201
    # It falls due one day, so that there is something to step to. It is the journal's first request too.
    override = {"subject_type": "org", "subject_id": ACME, "quota_key": "devices", "limit_value": 9}
    override["expires_at"] = "2026-04-01T00:00:00Z"
    answer = World(client, WORLD).call("POST", "/admin/quota_overrides", "demo-operator", json=override)
    assert answer.status == 200, answer.body
    first = mock.worlds.get(WORLD)
    assert first is not None
    state, (entry,) = first.state, first.journal

    def stock() -> None:
        for world in mock.worlds:
            if world.name == OTHER:
                mock.reset_world(world)
            else:
                mock.worlds.remove(world.name)
        world = mock.worlds.add(WORLD, "demo", state, mock.wall())
        world.snapshots.take(KEPT, state, state.clock.now, mock.wall())
        # Of an operation that nobody asks for, so that it is there and does nothing.
        world.faults.add(Rule(KEPT, "after", "lose", operation="delete_user", how="close"))
        endpoint = Endpoint(KEPT, "http://127.0.0.1:9/hooks", "stripe", "whsec_demo", (5,), events=("nothing",))
        owed = Happening(1, state.clock.now, "openapp", "invoice.paid", ACME, {"org_id": ACME})
        world.deliveries.owe(world.deliveries.add(endpoint), owed, state.clock.now)
        world.journal.next_number()
        mock.worlds.close(world, world.journal, copy.copy(entry))

    return stock, {STATE: World(client, WORLD).control("GET", "/state").json}


def _accepted(*names: str, status: str) -> dict[str, Any]:
    """What is well-formed and still refused, for a reason that no schema can say."""
    expected = {"expected-statuses": ["2xx", status]}
    return {"include-operation-id": list(names), "checks": {"positive_data_acceptance": expected}}


MEMBERS_DEPEND = [
    # A date outside the years that a world can hold; options for a scenario that takes none.
    _accepted("create_world", status="400"),
    # A duration that is none, or leads past those years.
    _accepted("get_agenda", status="400"),
    # Both or none of the two that can be compared with.
    _accepted("compare_world", status="400"),
    # Members that do not go together.
    _accepted("add_fault", "add_webhook_endpoint", "change_webhook_endpoint", "emit_webhook", status="400"),
    # Which settings there are, and what an API keeps as its state, only that API knows.
    _accepted("change_settings", "put_state", status="400"),
    # More than the quota has room for.
    _accepted("consume_usage", status="429"),
    {
        # A duration or an instant as above, or an instant that has passed.
        "include-operation-id": "move_clock",
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "409"]}},
    },
]
STRICT: dict[str, Any] = {
    # All that is named is there and there is room for more, so that nothing can hide a wrong answer.
    "positive_data_acceptance": {"expected-statuses": ["2xx"]},
    "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415"]},
}
# A sequence may delete what it goes on to name, and make a second one of a name. What Schemathesis takes for invalid
# has an id from a link, which is none of the enumerated ones.
LENIENT: dict[str, Any] = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409", "429"]},
    "negative_data_rejection": {"expected-statuses": ["2xx", "400", "404", "409", "413", "415"]},
}
CONFIG: Mapping[str, dict[str, Any]] = {
    SINGLE: {**COMMON, "checks": STRICT, "operations": MEMBERS_DEPEND},
    SEQUENCES: {**COMMON, "checks": LENIENT},
}
