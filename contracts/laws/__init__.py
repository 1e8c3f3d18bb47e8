"""All laws, family by family."""

from __future__ import annotations

from contracts.law import Law

from . import access, effects, idempotency, ingress, metamorphic, model, races, wire

ALL: tuple[Law, ...] = (
    *model.LAWS,
    *access.LAWS,
    *effects.LAWS,
    *idempotency.LAWS,
    *metamorphic.LAWS,
    *ingress.LAWS,
    *wire.LAWS,
    *races.LAWS,
)
"""In the order in which they are tried: those first whose findings say most with the fewest calls."""
