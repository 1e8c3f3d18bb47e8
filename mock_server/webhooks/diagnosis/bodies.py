"""What may have happened to a body between signing and here, byte by byte. What is done to JSON stands in `json_forms`.

Some have two causes: what we hold was changed after signing, or the sender signs other bytes than it sends.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import body_lines, body_slips
from .body_words import Perturbation
from .report import Change

LARGEST_TEXT = 256 * 1024
"""Perturbations that are slow are tried on bodies up to this size."""
LINES, SLIPS = body_lines.TABLE, body_slips.TABLE


def perturbed(body: bytes, table: tuple[Perturbation, ...]) -> Iterator[tuple[Change, bytes]]:
    """Each body that a table makes of the one we hold."""
    for each in table:
        if not each.slow or len(body) <= LARGEST_TEXT:
            result = each.work(body)
            if result is not None:
                yield each.change, result
