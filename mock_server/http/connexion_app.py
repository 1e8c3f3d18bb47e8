"""One `connexion.AsyncApp` for each API: Connexion resolves operations to handlers and runs our stages."""

from __future__ import annotations

import warnings

import msgspec
from starlette.types import ASGIApp

from .mock import Served

with warnings.catch_warnings():
    # Connexion imports what others have deprecated: jsonschema's resolver, and Starlette's test client with httpx.
    warnings.filterwarnings("ignore", message=".*(?:starlette.testclient|jsonschema).*")
    from connexion import AsyncApp
    from connexion.middleware.abstract import ROUTING_CONTEXT
    from connexion.middleware.security import SecurityMiddleware
    from connexion.resolver import Resolver

    from .stages import STAGES, Credential

__all__ = ["ROUTING_CONTEXT", "build"]


def build(served: Served) -> ASGIApp:
    """The Connexion app of one API. Raises LookupError if an operation has no handler, or a handler no operation."""
    handlers, operations = served.api.handlers, served.contract.operations
    if handlers.keys() != operations.keys():
        odd = ", ".join(sorted(handlers.keys() ^ operations.keys()))
        raise LookupError(f"{served.api.name}: handlers and operations do not match: {odd}")
    app = AsyncApp(
        "mock_server",
        middlewares=[SecurityMiddleware, *STAGES],
        resolver=Resolver(lambda operation_id: handlers[operation_id]),
        security_map={"apiKey": Credential, "bearer": Credential},
    )
    app.add_api(msgspec.json.decode(served.bundle_bytes))
    return app  # type: ignore[no-any-return]
