"""All laws, family by family."""

from __future__ import annotations

from contracts.law import Law

from . import access, effects, idempotency, ingress, metamorphic, model, races, wire

_EARLY = ("wire.reads", "wire.headers", "wire.responses", "wire.methods")
_LATE = ("wire.parameters", "wire.accepts-valid", "wire.refuses-invalid", "model.walks")
_GROUPED: tuple[Law, ...] = (
    *model.LAWS,
    *metamorphic.LAWS,
    *idempotency.LAWS,
    *ingress.LAWS,
    *access.LAWS,
    *effects.LAWS,
    *wire.LAWS,
    *races.LAWS,
)
ALL: tuple[Law, ...] = tuple(
    sorted(_GROUPED, key=lambda law: (law.id in _LATE) - (law.id in _EARLY))  # stable: else as they are grouped
)
"""In the order in which they are tried: those first whose findings say most for the fewest calls."""
