"""Metamorphic: what a target's own answers say of each other, whatever its plans and numbers are.

No oracle is asked. Laws that need no `writes` hold for a target that may only be read, too.
"""

from __future__ import annotations

from contracts.law import Law
from contracts.openapp import keeping, reports, walking
from contracts.target import Need

READS: frozenset[Need] = frozenset({"owner"})
USAGE = "/components/schemas/QuotaUsage"
RESOURCES = "docs/apis/openapp.md#resources"


def _writes(*more: Need) -> frozenset[Need]:
    return frozenset(("writes", *more))


LAWS = (
    Law("metamorphic.counts", "What usage counts is what the lists show",
        f"{USAGE}/properties/current", READS, reports.counts),
    Law("metamorphic.limits", "A limit of the tier is the limit that the tier is published with",
        "/components/schemas/PlanQuotaResponse", READS, reports.limits),
    Law("metamorphic.tiers", "Plan, usage, subscription and upgrade options speak of one tier",
        "/components/schemas/BillingPlanResponse", READS, reports.tiers),
    Law("metamorphic.overages", "What is over capacity is what usage says is above its limit",
        "/components/schemas/KeyOverage", READS, reports.overages),
    Law("metamorphic.windows", "A window is the calendar's, has begun, has not ended, and is called so",
        f"{USAGE}/properties/period_label", READS, reports.windows),
    Law("metamorphic.uses", "A use counts once in each of its windows, and nowhere else",
        "docs/apis/openapp.md#quotas", _writes(), reports.uses),
    Law("metamorphic.overrides", "An override counts for as long as the export calls it active",
        "/components/schemas/QuotaOverride/properties/active", frozenset({"operator", "owner"}), reports.active),
    Law("metamorphic.pages", "Pages of any size make up the same list",
        "/components/parameters/Offset", READS, walking.pages),
    Law("metamorphic.order", "Lists begin with the oldest", "/paths/~1zones/get/description", READS, walking.order),
    Law("metamorphic.filters", "Live and deleted rows together are all rows",
        "/components/parameters/IncludeDeleted", READS, walking.filters),
    Law("metamorphic.twice", "Reading changes nothing", RESOURCES, READS, walking.twice),
    Law("metamorphic.created", "What was created is read as it was answered", RESOURCES, _writes(), keeping.created),
    Law("metamorphic.changed", "A policy that was set is the one that is read",
        "/paths/~1orgs~1{id}~1billing~1degradation~1policy/put", _writes(), keeping.changed),
    Law("metamorphic.deleted", "What was deleted is put away, and restored as it was",
        RESOURCES, _writes(), keeping.deleted),
)  # fmt: skip
