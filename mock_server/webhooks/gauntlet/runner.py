"""Sends one variant after the other, and judges what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from mock_server.webhooks.outgoing import Answer, NoAnswer, Outgoing, with_framing

from .judging import Result, Rules, judged
from .variant import Inapplicable, Shot, Situation, Variant

MOST_UNANSWERED = 3
"""After so many variants in a row without any answer the rest is not sent."""
CLOSE = ("Connection", "close")

Send = Callable[[Outgoing], Awaitable[Answer | NoAnswer]]
Tell = Callable[[Result, int, int], None]


class NoTarget(Exception):
    """The very first request got no answer; the message says why."""


async def run(
    variants: Sequence[Variant], situation: Situation, rules: Rules, send: Send, now: Callable[[], int], tell: Tell
) -> list[Result]:
    """`now` gives seconds since 1970: each variant is signed as it goes out. Raises NoTarget, and what `send` raises."""
    results: list[Result] = []
    unanswered, has_answered = 0, False
    for number, variant in enumerate(variants, 1):
        built = variant.build(msgspec.structs.replace(situation, now=now()))
        if isinstance(built, Inapplicable):
            result = Result(variant, "skipped", "", "", built.reason)
        elif unanswered >= MOST_UNANSWERED:
            result = Result(variant, "failed", rules.told(variant.expected), "not sent: nothing answers any more")
        else:
            came = await _fired(built, send, at_once=variant.at_once)
            first = came[0]
            if not has_answered and isinstance(first, NoAnswer) and built[0].expected != "anything":
                raise NoTarget(first.explanation)
            result = judged(variant, built, came, rules)
            is_silent = all(isinstance(each, NoAnswer) for each in came)
            has_answered, unanswered = has_answered or not is_silent, unanswered + 1 if is_silent else 0
        results.append(result)
        tell(result, number, len(variants))
    return results


async def _fired(shots: Sequence[Shot], send: Send, *, at_once: bool) -> list[Answer | NoAnswer]:
    outgoing = [_outgoing(shot) for shot in shots]
    if at_once:
        return await asyncio.gather(*map(send, outgoing))
    return [await send(each) for each in outgoing]


def _outgoing(shot: Shot) -> Outgoing:
    """On a connection of its own: what one variant does to a connection must not look like the answer to the next."""
    framed = with_framing(shot.request)
    return msgspec.structs.replace(framed, headers=(*framed.headers, CLOSE), cut=shot.cut)
