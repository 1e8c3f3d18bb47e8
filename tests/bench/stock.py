"""Stock Connexion with its own validation both ways: `python -m tests.bench.stock PORT RECORDED.json BUNDLE.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connexion import AsyncApp
from connexion.resolver import Resolver

from .asked import CHECKOUT, PLANS, USAGE
from .serving import key_info, serve

Handler = Callable[..., Any]

# Connexion looks these functions up by name.
KEY_INFO = f"{key_info.__module__}.{key_info.__qualname__}"


def application(recorded: dict[str, Any], bundle: dict[str, Any]) -> Any:
    schemes = bundle["components"]["securitySchemes"]
    schemes["api_key"]["x-apikeyInfoFunc"] = KEY_INFO
    schemes["bearer"]["x-bearerInfoFunc"] = KEY_INFO
    handlers = _handlers(recorded)
    app = AsyncApp("stock", resolver=Resolver(lambda operation_id: handlers.get(operation_id, _not_measured)))
    app.add_api(bundle, validate_responses=True)
    return app


def _handlers(recorded: dict[str, Any]) -> dict[str, Handler]:
    replies = {name: (json.loads(each["body"]), 200, each["headers"]) for name, each in recorded.items()}

    async def plans() -> Any:
        return replies[PLANS.name]

    async def usage(id: str) -> Any:  # noqa: A002
        return replies[USAGE.name]

    async def checkout(id: str, body: Any) -> Any:  # noqa: A002
        return replies[CHECKOUT.name]

    return {PLANS.operation: plans, USAGE.operation: usage, CHECKOUT.operation: checkout}


async def _not_measured() -> Any:
    return {}, 501


if __name__ == "__main__":
    files = [json.loads(Path(name).read_bytes()) for name in sys.argv[2:4]]
    serve(application(*files), int(sys.argv[1]))
