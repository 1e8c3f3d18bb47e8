"""openapp-sdk runs scripts: they move on with the world's clock, and the library waits for them."""

from __future__ import annotations

import pytest

from .conftest import Connect
from .proxy import Recorder
from .session import refusal
from .world import ACME, World

pytestmark = pytest.mark.clients

EXECUTIONS = "/api/v1/scripting/executions"


def test_a_script_waits_runs_and_succeeds_as_time_passes(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    made = owner.scripting.create_execution(script='open()\n# mock: result {"opened": [1, 2]}')
    still.advance("PT0.25S")
    running = owner.scripting.get_execution(made["id"])
    still.advance("PT0.5S")
    done = owner.scripting.get_execution(made["id"])

    assert made == {"id": made["id"], "status": "pending", "created_at": "2026-03-01T00:00:00Z"}
    assert running == {**made, "status": "running", "started_at": "2026-03-01T00:00:00.250000Z"}
    times = {"started_at": "2026-03-01T00:00:00.250000Z", "completed_at": "2026-03-01T00:00:00.750000Z"}
    assert done == {**made, **times, "status": "succeeded", "result": {"opened": [1, 2]}}
    assert owner.scripting.list_executions() == [{name: done[name] for name in done if name != "result"}]


def test_scripts_are_listed_the_newest_first_without_their_results(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    made = [owner.scripting.create_execution(script=f"step({number})")["id"] for number in range(3)]

    assert [each["id"] for each in owner.scripting.list_executions()] == made[::-1]
    assert [each["id"] for each in owner.scripting.list_executions(limit=1)] == [made[2]]


def test_a_canceled_script_never_finishes(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    made = owner.scripting.create_execution(script="open()")["id"]
    still.advance("PT0.25S")
    assert owner.scripting.cancel_execution(made) is None
    still.advance("PT1H")
    canceled = owner.scripting.get_execution(made)

    assert (canceled["status"], canceled["completed_at"]) == ("canceled", "2026-03-01T00:00:00.250000Z")
    assert canceled["error"]
    assert "result" not in canceled
    assert refusal(owner.scripting.cancel_execution, made).code == "already_finished"


@pytest.mark.parametrize("outcome", ['result {"opened": true}', "fail the door is stuck"])
def test_the_library_waits_for_a_script_to_end(
    connect: Connect, still: World, recorder: Recorder, outcome: str
) -> None:
    # It first asks after a second of its own, and then after two more: so the script has to be through at once.
    recorder.afterwards["POST", EXECUTIONS] = lambda: still.advance("PT3S")
    execute, script = connect(still.secret("demo-owner")).scripting.execute, f"open()\n# mock: {outcome}"

    if outcome.startswith("result"):
        assert execute(script=script) == {"opened": True}
    else:
        error = refusal(execute, script=script)
        assert (error.kind, error.message) == ("SdkError", "script execution failed: the door is stuck")
    asked = [(each.method, each.status) for each in recorder.exchanges if each.path.startswith(EXECUTIONS)]
    assert asked == [("POST", 202), ("GET", 200)]


def test_scripts_are_metered_by_the_day(connect: Connect, still: World) -> None:
    owner = connect(still.secret("demo-owner"))
    for _ in range(20):
        owner.scripting.create_execution(script="open()")
    error = refusal(owner.scripting.create_execution, script="open()")
    still.advance("P1D")

    assert (error.status, error.code, error.details["key"]) == (429, "quota_exceeded", "scripting_executions")
    assert owner.scripting.create_execution(script="open()")["status"] == "pending"
    items = owner.billing.usage(ACME)["items"]
    assert [each["current"] for each in items if each["key"] == "scripting_executions"] == [1]


def test_a_script_of_another_organization_is_not_there(connect: Connect, still: World) -> None:
    made = connect(still.secret("demo-owner")).scripting.create_execution(script="open()")["id"]
    other = connect(still.secret("demo-globex"))

    assert refusal(other.scripting.get_execution, made).status == 404
    assert other.scripting.list_executions() == []
    assert refusal(connect(still.secret("demo-reader")).scripting.list_executions).kind == "AuthError"
