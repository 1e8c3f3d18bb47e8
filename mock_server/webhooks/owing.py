"""What an endpoint is owed when something happens, with all that goes wrong there on purpose. No I/O, no clock."""

from __future__ import annotations

from itertools import groupby

import msgspec

from mock_server.engine.ids import draw
from mock_server.engine.instants import LATEST, SECOND
from mock_server.engine.outbox import Happening
from mock_server.store.deliveries import Deliveries
from mock_server.store.endpoints import Delivery, Endpoint

from .misbehaviour import Misbehaviour, Send, scheduled

HELD_S = 2.0
"""So long, on the world's clock, something waits for the event that is to go out before it."""


def owe(deliveries: Deliveries, seed: int, endpoint: Endpoint, happenings: list[Happening]) -> list[Delivery]:
    """Owe them to one endpoint in their order, but for those that are drawn to go wrong."""
    chosen = [n for n, each in enumerate(happenings) if _goes_wrong(seed, endpoint, each)]
    if not chosen:
        return [deliveries.owe(endpoint, each, each.at) for each in happenings]
    kinds: list[Misbehaviour] = msgspec.convert(endpoint.misbehave, list[Misbehaviour])
    sends = scheduled(kinds, len(chosen), _bits(seed, endpoint, happenings[chosen[0]]))
    groups = [list(group) for _, group in groupby(sends, lambda each: each.index)]
    # Those that are left change places among themselves; what does not go wrong stays where it is.
    places = sorted(group[0].index for group in groups)
    at_place = {chosen[place]: group for place, group in zip(places, groups, strict=True)}
    is_lone = "reorder" in kinds and len(chosen) == 1
    dropped = set(chosen) - at_place.keys()
    made: list[Delivery] = []
    for n, happening in enumerate(happenings):
        if n in dropped:
            made.append(deliveries.owe(endpoint, happening, happening.at, ("drop",), dropped=True))
        elif n not in at_place:
            made.append(deliveries.owe(endpoint, happening, happening.at))
        elif is_lone:
            made += _out_of_order(deliveries, endpoint, happening, at_place[n])
        else:
            told = happenings[chosen[at_place[n][0].index]]
            made += [_owed(deliveries, endpoint, told, send) for send in at_place[n]]
    return made


def _out_of_order(
    deliveries: Deliveries, endpoint: Endpoint, happening: Happening, sends: list[Send]
) -> list[Delivery]:
    """One alone changes places with the next one: it is held back until that has gone out, or its time is over."""
    held = [each for each in deliveries.held.pop(endpoint.id, ()) if each.due is not None and not each.tried]
    if held:
        made = [_owed(deliveries, endpoint, happening, send) for send in sends]
        for each in held:
            deliveries.put_behind(each, made[-1], happening.at)
        return made
    made = [_owed(deliveries, endpoint, happening, send, HELD_S) for send in sends]
    deliveries.held[endpoint.id] = made
    return made


def _owed(
    deliveries: Deliveries, endpoint: Endpoint, happening: Happening, send: Send, later_s: float = 0.0
) -> Delivery:
    delay_s = send.delay_s + later_s
    due = min(happening.at + round(delay_s * SECOND), LATEST)
    return deliveries.owe(endpoint, happening, due, send.damages, alone=send.together or delay_s > 0)


def _goes_wrong(seed: int, endpoint: Endpoint, happening: Happening) -> bool:
    """Drawn for each event, so that the same world tells the same ones wrongly."""
    return bool(endpoint.misbehave) and _bits(seed, endpoint, happening) % 2**32 < endpoint.probability * 2**32


def _bits(seed: int, endpoint: Endpoint, happening: Happening) -> int:
    return int.from_bytes(draw(seed, f"misbehaviour/{endpoint.id}", happening.number)) >> 1
