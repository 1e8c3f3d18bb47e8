"""A second opinion on types: the models that openapp-sdk was generated with judge the exact bodies that the mock sends."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import stripe

from tests.server import Server

from .opinions import BODILESS, LISTS, MODELS, OUR_OWN, UNMODELLED, objections
from .proxy import Exchange
from .sdk import Sdk
from .session import Conversation
from .world import ACME, World, ask

pytestmark = pytest.mark.clients

BILLING = f"/orgs/{ACME}/billing"


def bodies(world: World) -> list[tuple[str, str, Any]]:
    """Every JSON answer of the billing operations: what it is, the model it has to fit, the body."""
    found: list[tuple[str, str, Any]] = []

    def note(model: str, method: str, path: str, key: str = "demo-owner", body: Any = None, status: int = 200) -> None:
        answer = world.call(method, path, key, body)
        assert answer.status == status, (method, path, answer.body)
        found.append((f"{len(found)} {method} {path} {answer.status}", model, answer.json))

    def reads() -> None:
        note("PlansResponse", "GET", "/plans")
        note("BillingPlanResponse", "GET", f"{BILLING}/plan")
        note("PlansResponse", "GET", f"{BILLING}/upgrade-options")
        note("QuotaReport", "GET", f"{BILLING}/usage")
        note("DegradationStatus", "GET", f"{BILLING}/degradation")

    note("BackendStatus", "GET", "/status")
    reads()
    note("SubscriptionRef", "POST", f"{BILLING}/checkout", body={"tier_slug": "pro"})
    note("PortalResponse", "POST", f"{BILLING}/portal", body={"return_url": "https://app.example/"})
    note("DegradationStatus", "PUT", f"{BILLING}/degradation/policy", body={"policy": "manual"})
    # More in use than allowed, one limit in every shape, and one more subscription that waits.
    for key, limit in (("org_users", 0), ("door_opens", 2**63 - 1), ("video_session_duration_seconds", 60)):
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "limit_value": limit}
        assert world.call("POST", "/admin/quota_overrides", "demo-operator", body).status == 200
    world.settings(checkout="hosted")
    note("SubscriptionRef", "POST", f"{BILLING}/checkout", body={"tier_slug": "business"})
    reads()
    world.settings(lifecycle_enabled=False, portal="off")
    note("QuotaReport", "GET", f"{BILLING}/usage")

    refusal = "ApiErrorResponse"
    note(refusal, "GET", f"{BILLING}/plan", "nobody", status=401)
    note(refusal, "GET", f"{BILLING}/plan", "demo-member", status=403)
    note(refusal, "GET", f"{BILLING}/plan", "demo-globex", status=403)
    note(refusal, "GET", "/orgs/nobody/billing/plan", "demo-operator", status=404)
    note(refusal, "GET", "/nothing/here", status=404)
    note(refusal, "DELETE", f"{BILLING}/plan", status=405)
    note(refusal, "POST", f"{BILLING}/checkout", body={"tier_slug": "platinum"}, status=400)
    note(refusal, "POST", f"{BILLING}/checkout", body={"tier": "pro"}, status=400)
    note(refusal, "POST", f"{BILLING}/portal", body={"return_url": "https://app.example/"}, status=501)
    return found


@pytest.mark.parametrize("sdk", ["1.0.1"], indirect=True)
def test_every_answer_fits_the_models_of_the_generation_that_the_mock_emulates(sdk: Sdk, world: World) -> None:
    found = bodies(world)
    verdicts = sdk.run("judge", stdin=found)

    for name, model, body in found:
        own = sorted(OUR_OWN.get(model, set()) & body.keys())
        assert verdicts[name] == {"errors": [], "unknown": own}, (name, model)


@pytest.mark.parametrize("sdk", ["2.0.0"], indirect=True)
def test_every_answer_fits_the_newest_models_as_far_as_they_still_exist(sdk: Sdk, world: World) -> None:
    found = bodies(world)
    verdicts = sdk.run("judge", stdin=found)

    gone = {model for name, model, _ in found if verdicts[name] == "missing"}
    assert gone == {"SubscriptionRef", "PortalResponse"}
    assert [verdicts[name] for name, model, _ in found if model not in gone and verdicts[name]["errors"]] == []


NEWER_KEYS = {"organizations", "voice_invocations", "ai_requests", "geocoding_requests"}


def test_the_oldest_models_miss_only_the_quotas_that_came_after_them(old_sdk: Sdk, world: World) -> None:
    found = [entry for entry in bodies(world) if entry[1] != "DegradationStatus"]
    verdicts = old_sdk.run("judge", stdin=found)

    for name, model, body in found:
        errors = verdicts[name]["errors"]
        if model != "QuotaReport":
            assert errors == [], (name, model)
            continue
        strange = {body["items"][int(error.split(".")[1])]["key"] for error in errors}
        assert strange == NEWER_KEYS, errors
        assert all(error.split(":")[0].endswith(".key") for error in errors), errors


def test_the_webhooks_answer_fits_the_last_models_that_had_one(old_sdk: Sdk, world: World) -> None:
    things = {"customer.subscription.updated": {"id": "sub_1", "status": "active"}, "charge.succeeded": {"id": "ch_1"}}
    found = []
    for kind, thing in things.items():
        content = {"id": f"evt_{kind}", "type": kind, "created": int(time.time()), "data": {"object": thing}}
        payload = json.dumps(content).encode()
        answer = world.webhook(
            payload, stripe.WebhookSignature.generate_signature_header(payload.decode(), "whsec_demo")
        )
        assert answer.status == 200, answer.body
        found.append((kind, "BillingWebhookResponse", answer.json))

    verdicts = old_sdk.run("judge", stdin=found)
    assert [verdicts[kind] for kind in things] == [{"errors": [], "unknown": []}] * 2


def test_no_operation_goes_unjudged(server: Server) -> None:
    document = ask("GET", f"{server.url}/openapp/openapi.json").json
    methods = ("get", "post", "put", "delete", "patch")
    offered = {
        f"{method.upper()} {path}".replace("{publicPortalId}", "{id}").replace("{action_id}", "{action}")
        for path, item in document["paths"].items()
        for method in methods
        if method in item
    }

    assert offered == {*MODELS, *LISTS, *UNMODELLED, *BODILESS}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/devices", [{"id": "01J9ZC3M4N5P6Q7R8S9T0V1W3A", "name": {"en": "Gate"}}]),
        ("GET", f"/w/x/api/v1/orgs/{ACME}?limit=1", {"id": ACME, "name": {"en": 7}, "user_roles": {}}),
        ("POST", "/api/v1/api-keys", {"id": ACME, "name": "k", "base_url": "u", "expires_at": "e", "secret": "s"}),
    ],
)
def test_the_judge_has_teeth(judge: Conversation, method: str, path: str, body: Any) -> None:
    assert objections(judge, [Exchange(method, path, 200, [], json.dumps(body).encode())])
