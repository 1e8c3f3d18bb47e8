"""Carries a plan out: waits, sends, writes down what came of it. Nothing here decides anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from mock_server.webhooks.outgoing import Answer, NoAnswer, Outgoing
from mock_server.webhooks.sending import Sender

from .expecting import Expectation
from .planning import Planned

Sleep = Callable[[float], Awaitable[None]]


class Outcome(Struct, frozen=True):
    """What came of one request, and whether that was expected. `started`: seconds after the start."""

    send: Planned
    answered: Answer | NoAnswer
    is_expected: bool
    started: float


async def replay(
    sends: Sequence[Planned],
    request: Callable[[Planned], Outgoing],
    sender: Sender,
    expected: Expectation,
    tell: Callable[[Outcome], None],
    clock: Callable[[], float],
    concurrency: int = 1,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Sends in the plan's order, at most `concurrency` at a time, none before its time.

    `request` makes each just before it goes out; `tell` is called as soon as something has come of it. After a slow answer
    what is late goes out at once, until the plan is caught up with. Raises what `request` and Sender.send raise.
    """
    start = clock()
    free = asyncio.Semaphore(concurrency)

    async def one(send: Planned, made: Outgoing, started: float) -> None:
        try:
            answered = await sender.send(made)
        finally:
            free.release()
        tell(Outcome(send, answered, expected.is_met(answered), started))

    async with asyncio.TaskGroup() as group:
        for send in sends:
            await free.acquire()
            left = start + send.at - clock()
            if left > 0:
                await sleep(left)
            coming = one(send, request(send), clock() - start)
            if concurrency == 1:
                await coming
            else:
                group.create_task(coming)
