"""The bounds of spec/openapp as types: checked wherever a state is read from a file, not when it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from mock_server.engine.instants import EARLIEST, LATEST, Instant

Localized = Annotated[
    Mapping[str, Annotated[str, Meta(max_length=500)]],
    Meta(min_length=1, max_length=50),
]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ExternalId = Annotated[str, Meta(min_length=1, max_length=255)]
Provider = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Uses = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Order = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Moment = Annotated[Instant, Meta(ge=EARLIEST, le=LATEST)]
ProviderTime = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Secret = Annotated[str, Meta(pattern=r"^[!-?A-~]{1,200}$")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Role = Annotated[str, Meta(min_length=1, max_length=64)]
