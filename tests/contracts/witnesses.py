"""For every mutant a shortest sequence of requests that shows its fault."""

from __future__ import annotations

from collections.abc import Mapping

from . import witnesses_of_effects, witnesses_of_requests, witnesses_of_rules, witnesses_of_time
from .witnessing import Witness

WITNESSES: Mapping[str, Witness] = {
    **witnesses_of_requests.WITNESSES,
    **witnesses_of_rules.WITNESSES,
    **witnesses_of_effects.WITNESSES,
    **witnesses_of_time.WITNESSES,
}
