"""Every mutant by its id, and which of the 99 of the benchmark have none here."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    auth,
    checkout,
    crud,
    degradation,
    idempotency,
    ingress,
    inputs,
    overrides,
    pagination,
    quotas,
    races,
    schema,
    staleness,
    tenancy,
    windows,
)
from .mutant import Mutant

FAMILIES = (
    schema,
    inputs,
    auth,
    tenancy,
    crud,
    pagination,
    quotas,
    windows,
    overrides,
    degradation,
    checkout,
    idempotency,
    ingress,
    races,
    staleness,
)

MUTANTS: Mapping[str, Mutant] = {mutant.id: mutant for module in FAMILIES for mutant in module.MUTANTS}

NONE = "none"
"""The id of the server without a fault."""

_NO_MONEY = "OpenApp's answers hold no prices and no invoices"
_NOT_SENT = "the bundle says nothing of webhooks that go out, so no law may ask an implementation for them"

NOT_MAPPED: Mapping[int, str] = {
    13: "no operation of OpenApp answers with Location",
    19: "the bundle asks for no Cache-Control",
    31: "Idempotency-Key is optional in OpenApp, and no other header is required",
    80: _NO_MONEY,
    81: _NO_MONEY,
    82: _NO_MONEY,
    91: _NOT_SENT,
    92: _NOT_SENT,
    93: _NOT_SENT,
    94: _NOT_SENT,
}
"""Number -> why."""
