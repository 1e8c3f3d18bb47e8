"""All laws, family by family."""

from __future__ import annotations

from contracts.law import Law

from . import model

ALL: tuple[Law, ...] = (*model.LAWS,)
