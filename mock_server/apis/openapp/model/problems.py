"""Every way in which OpenApp's model refuses, in one table. What HTTP itself refuses is in `mock_server.http.problems`.

Their checks: `schema` where the request itself is wrong, in whatever state; `permission` where the caller may not;
`signature` and `quota`; `state` where it is the state that does not allow it.
"""

from __future__ import annotations

from mock_server.engine.problems import ProblemType

INVALID_TIME = ProblemType("invalid_request", 400, "{field}: {reason}.", "schema")
UNKNOWN_TIER = ProblemType(
    "unknown_tier", 400, "No published tier is called {tier_slug!r}; there are: {published_tiers}."
)
UNKNOWN_QUOTA_KEY = ProblemType("unknown_quota_key", 400, "There is no quota called {quota_key!r}.", "schema")
NOT_METERED = ProblemType(
    "not_metered",
    400,
    "Quota {quota_key!r} counts what exists, not what is used: create and delete resources instead.",
    "schema",
)
SESSION_NEEDED = ProblemType(
    "session_needed", 400, "Quota {quota_key!r} is counted per session: name one in `session`.", "schema"
)
UNSUPPORTED_PERIOD = ProblemType(
    "unsupported_period",
    400,
    "Quota {quota_key!r} is not counted per {period!r}; it can be limited per: {periods}.",
    "schema",
)
UNSUPPORTED_SUBJECT_TYPE = ProblemType(
    "unsupported_subject_type", 400, "An override's subject is an organization: subject_type must be 'org'.", "schema"
)
FORBIDDEN_ORG = ProblemType(
    "forbidden", 403, "This credential belongs to another organization and cannot reach {org_id!r}.", "permission"
)
ORG_NOT_FOUND = ProblemType("not_found", 404, "There is no organization {org_id!r}.")
NO_ORGANIZATION = ProblemType(
    "invalid_request", 400, "This credential has no organization of its own: name one in X-Org.", "schema"
)
ORG_MISMATCH = ProblemType("org_mismatch", 400, "The body is about {org_id!r}, X-Org about {x_org!r}.", "schema")
NESTING_TOO_DEEP = ProblemType("nesting_too_deep", 400, "Organizations can be nested {most} deep, not deeper.")
UNKNOWN_ROLE = ProblemType("unknown_role", 400, "An API key cannot be scoped to {role!r}.", "schema")
ROLE_NOT_HELD = ProblemType(
    "forbidden",
    403,
    "An API key cannot be given {role!r}, which the credential that makes it does not have.",
    "permission",
)
ENTITY_OUT_OF_SCOPE = ProblemType(
    "forbidden", 403, "This API key is scoped to other entities than {id!r}.", "permission"
)
SCOPE_NEEDED = ProblemType(
    "invalid_request",
    400,
    "scoped_roles: an operator has to say what a key is for; it cannot be another operator's.",
    "schema",
)
OUTLIVES_ITS_MAKER = ProblemType(
    "forbidden", 403, "An API key cannot outlive the key that makes it, which expires at {expires_at}.", "permission"
)
WORLD_FULL = ProblemType(
    "quota_exceeded", 429, "This world has {current} organizations, and a mock keeps no more than {limit}.", "quota"
)
INVALID_EXPIRY = ProblemType("invalid_request", 400, "{field}: {reason}.", "schema")
NO_SUCH = ProblemType("not_found", 404, "There is no {_noun} {id!r}.")
DELETED = ProblemType("not_found", 404, "The {_noun} {id!r} is deleted; restore it or purge it.")
RESOURCE_NOT_FOUND = ProblemType("not_found", 404, "Organization {org_id!r} has no {resource} with id {resource_id!r}.")
TOO_MANY_PINS = ProblemType(
    "too_many_pins",
    409,
    "{pinned} {resource} are pinned already, which is all that the limit allows. Release one first.",
)
NOT_DELETED = ProblemType("not_deleted", 409, "The {_noun} {id!r} is not deleted.")
PARENT_DELETED = ProblemType("parent_deleted", 409, "The {_noun} {id!r} belongs to {parent!r}, which is not there.")
ZONE_IN_USE = ProblemType(
    "zone_in_use", 409, "The {_noun} {id!r} is still referred to. Detach what refers to it with cascade=detach."
)
IDEMPOTENCY_CONFLICT = ProblemType(
    "idempotency_conflict", 409, "The Idempotency-Key {key!r} was used for another request on this entity."
)
ALREADY_FINISHED = ProblemType("already_finished", 409, "The execution {id!r} is finished already: {status}.")
HAS_DEPENDENTS = ProblemType(
    "has_dependents", 422, "The {_noun} {id!r} still has dependents. Delete them first, or with it: recursive=true."
)
CAPACITY_FULL = ProblemType(
    "quota_exceeded", 429, "Organization {org_id!r} has {current} {key}, and its limit is {limit}.", "quota"
)
SHELF_FULL = ProblemType(
    "quota_exceeded",
    429,
    "Organization {org_id!r} has {current} {key}, and a mock keeps no more than {limit}.",
    "quota",
)
METER_FULL = ProblemType(
    "quota_exceeded",
    429,
    "Organization {org_id!r} has used {current} of {limit} {key} per {period}; the count starts afresh at {resets_at}.",
    "quota",
)
SESSION_FULL = ProblemType(
    "quota_exceeded",
    429,
    "Session {session!r} has used {current} of {limit} {key}; {requested} more do not fit in.",
    "quota",
)
ACTION_NOT_IMPLEMENTED = ProblemType(
    "action_not_implemented", 501, "{action_id!r} is not implemented for a {entity_type}; there are: {_listed}."
)
PROVIDER_NOT_FOUND = ProblemType(
    "not_found", 404, "No webhook secret is configured for provider {provider!r}; there are: {providers}."
)
PORTAL_UNAVAILABLE = ProblemType("portal_unavailable", 501, "The billing provider offers no customer portal.")
SIGNATURE_MISSING = ProblemType("signature_missing", 400, "The webhook is not signed: {explanation}.", "signature")
SIGNATURE_INVALID = ProblemType(
    "signature_invalid", 400, "The webhook's signature does not hold: {explanation}.", "signature"
)
SIGNATURE_EXPIRED = ProblemType(
    "signature_expired", 400, "The webhook's signature is too old: {explanation}.", "signature"
)
SIGNATURE_PREMATURE = ProblemType(
    "signature_expired", 400, "The webhook's signature lies in the future: {explanation}.", "signature"
)
INVALID_PAYLOAD = ProblemType(
    "invalid_payload", 400, "The signature holds, but the body is not an event of {provider!r}: {reason}.", "schema"
)
