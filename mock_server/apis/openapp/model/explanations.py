"""Why the model refused, for every problem it has: the rule, where it stands, what was the case, what would have done."""

from __future__ import annotations

from collections.abc import Callable

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Context
from mock_server.engine.explanations import Explanation
from mock_server.engine.problems import Problem, ProblemType

from . import access_explanations as access
from . import problems
from . import quota_explanations as quota
from . import resource_explanations as resource
from . import value_explanations as value
from .explaining import Case
from .state import OpenApp

_TABLE: tuple[tuple[ProblemType, Callable[[Case], Explanation]], ...] = (
    (problems.INVALID_TIME, value.invalid_time),
    (problems.UNKNOWN_TIER, value.unknown_tier),
    (problems.UNKNOWN_QUOTA_KEY, value.unknown_quota_key),
    (problems.NOT_METERED, value.not_metered),
    (problems.SESSION_NEEDED, value.session_needed),
    (problems.UNSUPPORTED_PERIOD, value.unsupported_period),
    (problems.UNSUPPORTED_SUBJECT_TYPE, value.unsupported_subject_type),
    (problems.FORBIDDEN_ORG, access.forbidden_org),
    (problems.ORG_NOT_FOUND, access.org_not_found),
    (problems.NO_ORGANIZATION, access.no_organization),
    (problems.ORG_MISMATCH, access.org_mismatch),
    (problems.NESTING_TOO_DEEP, quota.nesting_too_deep),
    (problems.UNKNOWN_ROLE, access.unknown_role),
    (problems.ROLE_NOT_HELD, access.role_not_held),
    (problems.ENTITY_OUT_OF_SCOPE, access.entity_out_of_scope),
    (problems.SCOPE_NEEDED, access.scope_needed),
    (problems.OUTLIVES_ITS_MAKER, access.outlives_its_maker),
    (problems.WORLD_FULL, quota.world_full),
    (problems.INVALID_EXPIRY, value.invalid_expiry),
    (problems.NO_SUCH, resource.no_such),
    (problems.DELETED, resource.deleted),
    (problems.RESOURCE_NOT_FOUND, resource.resource_not_found),
    (problems.TOO_MANY_PINS, quota.too_many_pins),
    (problems.NOT_DELETED, resource.not_deleted),
    (problems.PARENT_DELETED, resource.parent_deleted),
    (problems.ZONE_IN_USE, resource.has_dependents),
    (problems.IDEMPOTENCY_CONFLICT, value.idempotency_conflict),
    (problems.ALREADY_FINISHED, resource.already_finished),
    (problems.HAS_DEPENDENTS, resource.has_dependents),
    (problems.CAPACITY_FULL, quota.capacity_full),
    (problems.SHELF_FULL, quota.shelf_full),
    (problems.METER_FULL, quota.meter_full),
    (problems.SESSION_FULL, quota.session_full),
    (problems.ACTION_NOT_IMPLEMENTED, value.action_not_implemented),
    (problems.PROVIDER_NOT_FOUND, value.provider_not_found),
    (problems.PORTAL_UNAVAILABLE, value.portal_unavailable),
    (problems.SIGNATURE_MISSING, value.signature_missing),
    (problems.SIGNATURE_INVALID, value.signature_invalid),
    (problems.SIGNATURE_EXPIRED, value.signature_expired),
    (problems.SIGNATURE_PREMATURE, value.signature_premature),
    (problems.INVALID_PAYLOAD, value.invalid_payload),
)
_BY_IDENTITY = {id(problem): function for problem, function in _TABLE}
"""Two types can be equal in all that they say."""


def explained(state: OpenApp, context: Context, problem: Problem, caller: Caller | None) -> Explanation | None:
    """`state` and `context` are those in which it was refused. None for what is not refused here."""
    function = _BY_IDENTITY.get(id(problem.type))
    return None if function is None else function(Case(state, context, problem, caller))
