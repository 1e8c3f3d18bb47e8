"""Bare Starlette that answers with recorded bytes: `python -m tests.bench.plain PORT RECORDED.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .asked import ALL, BASE, ORG
from .serving import serve


def application(recorded: dict[str, Any]) -> Starlette:
    return Starlette(
        routes=[
            Route(BASE + asked.path.replace(ORG, "{id}"), _endpoint(recorded[asked.name]), methods=[asked.method])
            for asked in ALL
        ]
    )


def _endpoint(recorded: dict[str, Any]) -> Any:
    body, headers = recorded["body"].encode(), recorded["headers"]

    async def endpoint(request: Request) -> Response:
        return Response(body, headers=headers)

    return endpoint


if __name__ == "__main__":
    serve(application(json.loads(Path(sys.argv[2]).read_bytes())), int(sys.argv[1]))
