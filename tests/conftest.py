"""Hypothesis profiles: fixed seeds by default, random ones at night (`make test-all`)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fixed",
    derandomize=True,
    # Enough for every change, in the time that a run may take; the night tries more, and others.
    max_examples=60,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("nightly", settings.get_profile("fixed"), derandomize=False, max_examples=500)
settings.load_profile("nightly" if os.environ.get("MOCKBILL_NIGHTLY") else "fixed")
