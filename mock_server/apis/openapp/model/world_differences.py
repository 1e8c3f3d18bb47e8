"""What differs in what belongs to the whole world: settings, tiers, credentials, webhook secrets, portals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.engine.changes import Change, What

from .comparison import Teller, called, differing, members_of, phrases_of, quoted, values
from .quotas import PERIODS, QUOTAS
from .state import Credential, OpenApp, Tier

WORLD = Teller(None, "the world")


def world_changes(before: OpenApp, after: OpenApp) -> Iterator[Change]:
    if before.settings is not after.settings:
        for name, (one, other) in members_of(before.settings, after.settings).items():
            yield WORLD.changed("setting", name, {name: (one, other)}, f"{name} {values(name, one, other)}")
    if before.catalog is not after.catalog:
        yield from _tiers(before.catalog.tiers, after.catalog.tiers)
    yield from _credentials(differing(before.credentials, after.credentials))
    yield from _webhook_secrets(differing(before.webhook_secrets, after.webhook_secrets))
    portals = differing(before.portals, after.portals)
    for portal_id in sorted(portals):
        one, other = portals[portal_id]
        yield from _row("portal", portal_id, f"public portal {called(other or one)}", one, other)


def _row(kind: str, row_id: str, name: str, before: Any, after: Any) -> Iterator[Change]:
    if before is None:
        yield WORLD.added(kind, row_id, after, f"{name} added")
    elif after is None:
        yield WORLD.removed(kind, row_id, before, f"{name} removed")
    elif members := members_of(before, after):
        yield WORLD.changed(kind, row_id, members, f"{name} {', '.join(phrases_of(members))}")


def _tiers(before: Mapping[str, Tier], after: Mapping[str, Tier]) -> Iterator[Change]:
    found = differing(before, after)
    for slug in sorted(found, key=lambda each: ((found[each][1] or found[each][0]).sort_order, each)):
        one, other = found[slug]
        if one is None or other is None:
            yield from _row("tier", slug, f"tier {slug}", one, other)
        elif members := members_of(one, other):
            rest = {name: pair for name, pair in members.items() if name != "quotas"}
            texts = [*(_limits(one, other) if "quotas" in members else ()), *(phrases_of(rest) if rest else ())]
            yield WORLD.changed("tier", slug, members, f"tier {slug}: {', '.join(texts)}")


def _limits(before: Tier, after: Tier) -> list[str]:
    texts = []
    for key in (each for each in QUOTAS if each in before.quotas or each in after.quotas):
        for period in PERIODS:
            sides = [_limit(tier, key, period) for tier in (before, after)]
            if sides[0] != sides[1]:
                texts.append(f"{key} per {period} {' -> '.join(sides)}")
    return texts or ["quotas changed"]


def _limit(tier: Tier, key: str, period: str) -> str:
    limits = tier.quotas.get(key, {})
    return "default" if period not in limits else "unlimited" if limits[period] is None else str(limits[period])


_Credentials = tuple[Credential | None, Credential | None]


def _credentials(found: Mapping[str, _Credentials]) -> Iterator[Change]:
    """They lie under the digests of their secrets: where one goes and its like comes, the secret has changed."""
    ordered = sorted(found.values(), key=_order)
    both = [pair for pair in ordered if pair[0] is not None and pair[1] is not None]
    come: dict[tuple[int, str], list[Credential]] = {}
    for one, other in ordered:
        if one is None and other is not None:
            come.setdefault((other.position, other.name), []).append(other)
    for one, other in ordered:
        if one is not None and other is None:
            waiting = come.get((one.position, one.name))
            both.append((one, waiting.pop(0) if waiting else None))
    both += [(None, other) for waiting in come.values() for other in waiting]
    for one, other in sorted(both, key=_order):
        name = (other or one).name  # type: ignore[union-attr]
        yield from _row("credential", name, f"credential {quoted(name)}", one, other)


def _order(pair: _Credentials) -> Any:
    row = pair[1] or pair[0]
    assert row is not None
    return row.position, row.name, row.role, row.org or "", row.permissions, row.revoked, row.secret


def _webhook_secrets(found: Mapping[str, tuple[Any, Any]]) -> Iterator[Change]:
    for provider in sorted(found):
        one, other = found[provider]
        if one != other:
            what: What = "added" if one is None else "removed" if other is None else "changed"
            yield WORLD.unseen("webhook_secret", provider, what, f"webhook secret of {provider} {what}")
