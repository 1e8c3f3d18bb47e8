"""Organizations that see, change or charge others, and callers who may do more than their roles allow."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import (
    access,
    api_keys,
    assistance,
    degradation,
    inventory,
    lifetimes,
    plans,
    usage,
    users,
)
from mock_server.apis.openapp.model.problems import FORBIDDEN_ORG, ORG_NOT_FOUND
from mock_server.apis.openapp.model.views import view
from mock_server.engine.callers import OPERATOR
from mock_server.engine.decisions import Refused
from mock_server.http.exchange import Call
from mock_server.http.stages import CALL, Permission

from .mutant import Install, always, family, patched, replacing

mutant = family("tenancy")


def _reaching_all(real: Any) -> Any:
    """A decision (state, context, caller, ...) that asks no longer whose organization it is."""

    def faulty(state: Any, context: Any, caller: Any, *args: Any) -> Any:
        return real(state, context, _almighty(caller), *args)

    return faulty


def _almighty(caller: Any) -> Any:
    return msgspec.structs.replace(caller, permissions=caller.permissions | {OPERATOR})


def _no_operators(real: Any) -> Any:
    """Whoever belongs to no organization reaches none."""

    def faulty(state: Any, caller: Any, org_id: str) -> Any:
        return real(state, msgspec.structs.replace(caller, permissions=caller.permissions - {OPERATOR}), org_id)

    return faulty


def _permitting(operation_id: str, permission: str) -> Install:
    """An operation that another permission suffices for."""

    def make(real: Any) -> Any:
        async def faulty(self: Any, scope: Any, receive: Any, send: Any) -> None:
            call: Call = scope[CALL]
            if call.operation.id == operation_id and call.caller.may(permission):
                await self.next_app(scope, receive, send)
            else:
                await real(self, scope, receive, send)

        return faulty

    return patched(Permission, "__call__", make)


def _all_shelves(real: Any) -> Any:
    """A list of what every organization holds."""

    def faulty(state: Any, context: Any, caller: Any, kind: str, x_org: Any, page: Any) -> Any:
        shown = real(state, context, caller, kind, x_org, page)
        if isinstance(shown, Refused):
            return shown
        rows = [row for holdings in state.holdings.values() for row in holdings.shelf(kind).live.values()]
        listed, total = page.of_rows(rows)
        return {"items": [view(kind, row) for row in listed], "total": total}

    return faulty


def _tells_of_orgs(real: Any) -> Any:
    def faulty(state: Any, caller: Any, org_id: str) -> Any:
        return Refused(ORG_NOT_FOUND(org_id=org_id)) if org_id not in state.orgs else real(state, caller, org_id)

    return faulty


def _nobodys_is_forbidden(real: Any) -> Any:
    def faulty(state: Any, caller: Any, org_id: str) -> Any:
        return real(state, caller, org_id) if org_id in state.orgs else Refused(FORBIDDEN_ORG(org_id=org_id))

    return faulty


def _all_that_the_maker_may(real: Any) -> Any:
    return lambda caller, scoped: real(caller, None)


def _as_it_was_asked(_: Any) -> Any:
    return lambda state, caller, body, expires_at: (expires_at, body.get("scoped_entity_ids"))


def _in_any_org(real: Any) -> Any:
    """References that are looked up among what everybody has."""

    def faulty(state: Any, org: Any, **references: str | None) -> Any:
        unknown = {kind: each for kind, each in references.items() if each not in state.homes}
        return real(state, org, **unknown)

    return faulty


def _whole(_: Any) -> Any:
    return lambda state, caller, row: row


MUTANTS = (
    mutant(
        "read-across",
        "resources of other organizations can be read",
        replacing(lifetimes.get_resource, _reaching_all),
        41,
    ),
    mutant("plan-across", "others' plans can be read", replacing(plans.billing_plan, _reaching_all), 42),
    mutant("usage-across", "others' usage can be read", replacing(usage.usage, _reaching_all), 43),
    mutant("policy-across", "others' policies can be set", replacing(degradation.set_policy, _reaching_all), 44),
    mutant(
        "delete-across", "others' resources can be deleted", replacing(lifetimes.delete_resource, _reaching_all), 45
    ),
    mutant(
        "charge-across",
        "others can be charged by naming them in X-Org",
        replacing(assistance._charged, _reaching_all),
        46,
    ),
    mutant("all-across", "nobody asks whose organization it is", replacing(access.reaches, always(True)), 47),
    mutant("lists-of-all", "lists show what others hold", replacing(lifetimes.list_resources, _all_shelves), 48),
    mutant(
        "org-existence",
        "404 tells which organizations do not exist",
        replacing(access.reachable_org, _tells_of_orgs),
        49,
    ),
    mutant(
        "nobodys-is-forbidden",
        "an organization that does not exist is forbidden, to operators too",
        replacing(access.reachable_org, _nobodys_is_forbidden),
    ),
    mutant(
        "owner-overrides", "an owner may set overrides", _permitting("post_admin_quota_override", "billing:manage"), 50
    ),
    mutant(
        "reader-buys",
        "billing:read suffices for checkout",
        _permitting("post_org_billing_checkout", "billing:read"),
        50,
    ),
    mutant(
        "key-may-all", "`scoped_roles` of an API key are ignored", replacing(api_keys._granted, _all_that_the_maker_may)
    ),
    mutant(
        "key-outlives-maker",
        "a key that is made with another may last longer",
        replacing(api_keys._within_maker, _as_it_was_asked),
    ),
    mutant(
        "key-for-all-entities",
        "`scoped_entity_ids` of an API key are ignored",
        replacing(access.in_scope, always(True)),
    ),
    mutant("operator-confined", "an operator reaches no organization", replacing(access.reaches, _no_operators)),
    mutant(
        "member-reads-plan",
        "the plan is shown to whoever may read entities",
        _permitting("get_org_billing_plan", "entities:read"),
    ),
    mutant(
        "parent-across", "a zone may lie in one of another organization's", replacing(inventory._missing, _in_any_org)
    ),
    mutant("roles-elsewhere", "of a user all organizations are shown", replacing(users._seen, _whole)),
)
