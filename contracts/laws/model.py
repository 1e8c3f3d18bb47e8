"""The model: what the contract says a billing backend remembers, counts and refuses, answer by answer."""

from __future__ import annotations

from contracts.law import Law, writing
from contracts.machines.openapp import walks
from contracts.openapp import checkout, degradation, overrides, quotas, resources, windows

DOCS = "docs/apis/openapp.md#"
USAGE = "/paths/~1orgs~1{id}~1billing~1usage/get"
OVERRIDES = "/paths/~1admin~1quota_overrides/post"
CHECKOUT = "/paths/~1orgs~1{id}~1billing~1checkout/post"
POLICY = "/paths/~1orgs~1{id}~1billing~1degradation~1policy/put"
PIN = "/paths/~1orgs~1{id}~1billing~1degradation~1resource/post"


LAWS = (
    Law("model.capacity", "Of each thing there are as many as the limit says, and not one more",
        f"{DOCS}quotas", writing("operator"), quotas.capacity),
    Law("model.tiers", "Without an override the plan's own limits hold", f"{DOCS}quotas", writing(), quotas.tiers),
    Law("model.metered", "A use fits into every window that is limited, and counts in all of them or in none",
        f"{DOCS}quotas", writing("operator"), quotas.metered),
    Law("model.consumption", "At the brink of a plan's metered limit one more use is let through, and no second",
        f"{DOCS}quotas", writing("usage"), quotas.consumed),
    Law("model.windows", "Metered windows are UTC days, ISO weeks and calendar months, to the second",
        USAGE, writing("operator", "clock"), windows.windows),
    Law("model.override-precedence", "An override wins over the plan, higher or lower, for its subject, quota and period",
        OVERRIDES, writing("operator"), overrides.precedence),
    Law("model.override-expiry", "An override holds until it expires, and then the plan's limit is back",
        OVERRIDES, writing("operator", "clock"), overrides.expiry),
    Law("model.checkout", "Plan, subscription, limits and upgrade options follow what was bought",
        CHECKOUT, writing(), checkout.checkout),
    Law("model.stages", "Holding too much goes from warned to degraded to marked to deleted, each when it is due",
        f"{DOCS}holding-more-than-the-plan-allows", writing("operator", "clock"), degradation.stages),
    Law("model.recovery", "Back within the limits all of it ends at once",
        f"{DOCS}holding-more-than-the-plan-allows", writing("operator", "clock"), degradation.recovery),
    Law("model.policies", "The policy chooses what goes first", POLICY, writing("operator", "clock"), degradation.policies),
    Law("model.pins", "What is kept survives, within the limit", PIN, writing("operator", "clock"), degradation.pins),
    Law("model.resources", "What is made can be read until it is deleted, and taken back until it is purged",
        f"{DOCS}resources", writing(), resources.life),
    Law("model.belonging", "What something hangs on is not deleted under it",
        f"{DOCS}resources", writing(), resources.belonging),
    Law("model.retention", "What was deleted is forgotten after its time",
        f"{DOCS}resources", writing("clock"), resources.retention),
    Law("model.keys", "An API key may what it was made for, for as long as it lasts",
        "/paths/~1api-keys/post", writing(), resources.keys),
    Law("model.scripts", "An execution goes from pending to its end, and can be canceled before",
        "/paths/~1scripting~1executions/post", writing(), resources.scripts),
    Law("model.walks", "After any sequence of calls and moves of the clock, everything reads as the model says",
        f"{DOCS}quotas", writing(), walks),
)  # fmt: skip
