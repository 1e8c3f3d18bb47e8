"""The payment providers whose webhooks are understood, one small file each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.apis.openapp.model.state import Catalog

from . import lemonsqueezy, paddle, square, stripe
from .event import InvalidEvent, Money, Provider, ProviderEvent

__all__ = ("PROVIDERS", "InvalidEvent", "Money", "Provider", "ProviderEvent", "read_event")

PROVIDERS: Mapping[str, Provider] = {module.NAME: module.PROVIDER for module in (stripe, paddle, lemonsqueezy, square)}


def read_event(provider: str, payload: Any, body: bytes, catalog: Catalog) -> ProviderEvent:
    """The event in `payload`, which is the JSON of `body`. Raises InvalidEvent for what is no event of that provider."""
    if not isinstance(payload, dict):
        raise InvalidEvent("the body is not a JSON object")
    return PROVIDERS[provider].read(payload, body, catalog)
