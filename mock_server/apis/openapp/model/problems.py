"""Every way in which OpenApp's model refuses, in one table. What HTTP itself refuses is in `mock_server.http.problems`."""

from __future__ import annotations

from mock_server.engine.problems import ProblemType

INVALID_TIME = ProblemType("invalid_request", 400, "{field}: {reason}.")
UNKNOWN_TIER = ProblemType(
    "unknown_tier", 400, "No published tier is called {tier_slug!r}; there are: {published_tiers}."
)
UNKNOWN_QUOTA_KEY = ProblemType("unknown_quota_key", 400, "There is no quota called {quota_key!r}.")
UNSUPPORTED_PERIOD = ProblemType(
    "unsupported_period", 400, "Quota {quota_key!r} is not counted per {period!r}; it can be limited per: {periods}."
)
UNSUPPORTED_SUBJECT_TYPE = ProblemType(
    "unsupported_subject_type", 400, "An override's subject is an organization: subject_type must be 'org'."
)
FORBIDDEN_ORG = ProblemType(
    "forbidden", 403, "This credential belongs to another organization and cannot reach {org_id!r}."
)
ORG_NOT_FOUND = ProblemType("not_found", 404, "There is no organization {org_id!r}.")
RESOURCE_NOT_FOUND = ProblemType("not_found", 404, "Organization {org_id!r} has no {resource} with id {resource_id!r}.")
PROVIDER_NOT_FOUND = ProblemType(
    "not_found", 404, "No webhook secret is configured for provider {provider!r}; there are: {providers}."
)
PORTAL_UNAVAILABLE = ProblemType("portal_unavailable", 501, "The billing provider offers no customer portal.")
SIGNATURE_MISSING = ProblemType("signature_missing", 400, "The webhook is not signed: {explanation}.")
SIGNATURE_INVALID = ProblemType("signature_invalid", 400, "The webhook's signature does not hold: {explanation}.")
SIGNATURE_EXPIRED = ProblemType("signature_expired", 400, "The webhook's signature is too old: {explanation}.")
INVALID_PAYLOAD = ProblemType(
    "invalid_payload", 400, "The signature holds, but the body is not an event of {provider!r}: {reason}."
)
