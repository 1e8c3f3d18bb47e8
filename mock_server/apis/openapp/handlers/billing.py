"""/orgs/{id}/billing/...: what an organization's own people ask and change."""

from __future__ import annotations

from mock_server.apis.openapp.model.checkout import checkout, subscription_ref
from mock_server.apis.openapp.model.degradation import degradation, set_policy, set_resource_keep
from mock_server.apis.openapp.model.plans import billing_plan, upgrade_options
from mock_server.apis.openapp.model.portal import portal
from mock_server.apis.openapp.model.usage import usage
from mock_server.http.exchange import Call, Reply


async def get_plan(call: Call) -> Reply:
    org_id = call.path["id"]
    return Reply(call.view(lambda state, context: billing_plan(state, context, call.caller, org_id, call.base_url)))


async def get_upgrade_options(call: Call) -> Reply:
    return Reply(call.view(lambda state, context: upgrade_options(state, context, call.caller, call.path["id"])))


async def get_usage(call: Call) -> Reply:
    return Reply(call.view(lambda state, context: usage(state, context, call.caller, call.path["id"])))


async def get_degradation(call: Call) -> Reply:
    return Reply(call.view(lambda state, context: degradation(state, context, call.caller, call.path["id"])))


async def put_degradation_policy(call: Call) -> Reply:
    org_id, policy = call.path["id"], call.body["policy"]
    return Reply(call.decide(lambda state, context: set_policy(state, context, call.caller, org_id, policy)))


async def post_degradation_resource(call: Call) -> Reply:
    org_id, body = call.path["id"], call.body
    return Reply(
        call.decide(
            lambda state, context: set_resource_keep(
                state, context, call.caller, org_id, body["resource"], body["resource_id"], body["keep"]
            )
        )
    )


async def post_checkout(call: Call) -> Reply:
    org_id, tier_slug = call.path["id"], call.body["tier_slug"]
    subscription = call.decide(lambda state, context: checkout(state, context, call.caller, org_id, tier_slug))
    return Reply(subscription_ref(subscription, call.base_url))


async def post_portal(call: Call) -> Reply:
    org_id, return_url = call.path["id"], call.body["return_url"]
    return Reply(
        call.decide(lambda state, context: portal(state, context, call.caller, org_id, return_url, call.base_url))
    )
