"""Answers and verdicts out of caches that nobody told of the change."""

from __future__ import annotations

from typing import Any

from mock_server.engine.callers import Caller

from .around import Exchange, on_answer
from .mutant import Install, family, in_api

mutant = family("staleness")

MOST_CACHED = 10_000


def _one_behind(where: str) -> Install:
    """Every answer is the one before, for the same request: the cache is filled again while the old answer goes out."""
    cache: dict[Any, bytes] = {}

    def change(it: Exchange) -> None:
        if len(cache) >= MOST_CACHED:
            cache.clear()
        key = _key(it)
        before = cache.get(key)
        cache[key] = it.body
        it.body = it.body if before is None else before

    return on_answer(where, change, 200)


def _for_ever(where: str) -> Install:
    cache: dict[Any, bytes] = {}

    def change(it: Exchange) -> None:
        if len(cache) < MOST_CACHED:
            it.body = cache.setdefault(_key(it), it.body)

    return on_answer(where, change, 200)


def _key(it: Exchange) -> Any:
    return (
        it.raw_path,
        it.raw_query,
        *(it.asked.get(name) for name in ("x-api-key", "authorization", "x-mock-world", "x-org")),
    )


def _known_keys(real: Any) -> Any:
    """An API key that was good once is good, whatever became of it."""
    cache: dict[str, Caller] = {}

    def faulty(state: Any, secret: str, now: int) -> Any:
        caller = real(state, secret, now)
        if isinstance(caller, Caller) and caller.key is not None and len(cache) < MOST_CACHED:
            cache[secret] = caller
        return caller if isinstance(caller, Caller) else cache.get(secret, caller)

    return faulty


MUTANTS = (
    mutant("usage-one-behind", "usage is that of the last report", _one_behind("GET /orgs/{id}/billing/usage"), 97),
    mutant("plan-cached", "the plan is what it was when first asked for", _for_ever("GET /orgs/{id}/billing/plan"), 97),
    mutant("key-cached", "an API key that was used goes on being good", in_api("identify", _known_keys)),
)
