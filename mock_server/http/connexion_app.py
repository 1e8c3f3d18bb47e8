"""One `connexion.AsyncApp` for each API: Connexion resolves operations to handlers and runs our stages."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from .contract import METHODS
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
    app.add_api(_skeleton(served.contract.bundle))
    return app  # type: ignore[no-any-return]


def _skeleton(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """What Connexion needs of a bundle: which operations there are, and who may call them.

    It would check the whole document again, which `bundles` has done, and for 58 operations takes longer than all else
    until the first answer. Parameters, bodies and answers are our stages' business.
    """
    answers = {"200": {"description": "See the bundle."}}
    paths = {
        path: {
            method: {"operationId": item[method]["operationId"], "responses": answers}
            | ({"security": item[method]["security"]} if "security" in item[method] else {})
            for method in METHODS
            if method in item
        }
        for path, item in bundle["paths"].items()
    }
    kept = {name: bundle[name] for name in ("openapi", "info", "servers", "security") if name in bundle}
    schemes = bundle["components"].get("securitySchemes", {})
    return {**kept, "paths": paths, "components": {"securitySchemes": schemes}}
