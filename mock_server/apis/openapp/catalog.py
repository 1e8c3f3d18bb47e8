"""The plan catalog: a YAML file of tiers (`fixtures/catalogs/openapp.yaml`) read into the model's Catalog."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from mock_server.apis.openapp.model.bounds import Count, Localized, Order, Slug, Uses
from mock_server.apis.openapp.model.quotas import QUOTAS
from mock_server.apis.openapp.model.state import Catalog, Tier
from mock_server.fixtures import FixtureError, Located


class TierFile(Struct, frozen=True, forbid_unknown_fields=True):
    slug: Slug
    name: Localized
    sort_order: Order
    quotas: dict[str, dict[str, Count | None]] = {}
    description: Localized | None = None
    published: bool = True
    default_for_personal: bool = False
    provider_prices: dict[str, list[str]] = {}
    amount: Uses = 0


class CatalogFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Format 1."""

    mockbill_catalog: Annotated[int, Meta(ge=1, le=1)]
    api: str
    tiers: Annotated[list[TierFile], Meta(min_length=1, max_length=100)]


def read_catalog(document: Located[Any]) -> Catalog:
    """Raises FixtureError, which names file, line and member."""
    catalog = document.convert(CatalogFile)
    if catalog.api != "openapp":
        raise FixtureError(document.place("$.api"), f"this is a catalog for {catalog.api!r}, not for 'openapp'")
    tiers: dict[str, Tier] = {}
    orders: dict[int, str] = {}
    prices: dict[tuple[str, str], str] = {}
    for n, tier in enumerate(catalog.tiers):
        where = f"$.tiers[{n}]"
        if tier.slug in tiers:
            raise FixtureError(document.place(f"{where}.slug"), f"there are two tiers called {tier.slug!r}")
        if (other := orders.setdefault(tier.sort_order, tier.slug)) != tier.slug:
            raise FixtureError(document.place(f"{where}.sort_order"), f"{other!r} has this sort_order already")
        for price in ((provider, price) for provider, each in tier.provider_prices.items() for price in each):
            if (other := prices.setdefault(price, tier.slug)) != tier.slug:
                place = document.place(f"{where}.provider_prices")
                raise FixtureError(place, f"the price {price[1]!r} of {price[0]} belongs to {other!r} already")
        for key, limits in tier.quotas.items():
            allowed = QUOTAS[key].allowed if key in QUOTAS else ()
            if not allowed:
                raise FixtureError(
                    document.place(f"{where}.quotas"), f"unknown quota {key!r}; there are: {', '.join(QUOTAS)}"
                )
            for period in limits:
                if period not in allowed:
                    place = document.place(f"{where}.quotas.{key}")
                    raise FixtureError(place, f"{key} cannot be limited per {period!r}, only per: {', '.join(allowed)}")
        tiers[tier.slug] = Tier(
            slug=tier.slug,
            name=tier.name,
            sort_order=tier.sort_order,
            description=tier.description,
            is_published=tier.published,
            is_default_for_personal=tier.default_for_personal,
            quotas=tier.quotas,
            provider_prices={provider: tuple(prices) for provider, prices in tier.provider_prices.items()},
            amount=tier.amount,
        )
    defaults = [tier.slug for tier in tiers.values() if tier.is_default_for_personal]
    if len(defaults) != 1:
        raise FixtureError(document.place("$.tiers"), "exactly one tier must have default_for_personal: true")
    return Catalog(dict(sorted(tiers.items(), key=lambda entry: (entry[1].sort_order, entry[0]))))
