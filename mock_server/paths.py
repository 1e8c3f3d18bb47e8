"""Where the data that belongs to the code lives: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parent
INSTALLED = _PACKAGE / "_data"

IS_CHECKOUT = not INSTALLED.is_dir()
FIXTURES = (CHECKOUT if IS_CHECKOUT else INSTALLED) / "fixtures"
