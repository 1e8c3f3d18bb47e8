"""Runs an ASGI app under the settings that `mock_server.serve` gives to uvicorn.

They are written out again instead of imported: importing them would bring mockbill's modules into the servers that it
is compared with, and so into their memory and their time to the first answer.
"""

from __future__ import annotations

from typing import Any

import uvicorn

from .asked import HOST, SECRET


def serve(app: Any, port: int) -> None:
    uvicorn.run(
        app,
        host=HOST,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=64 * 1024,
    )


def key_info(secret: str, **_: Any) -> dict[str, str] | None:
    """Who has this key, as stock Connexion asks it."""
    return {"sub": secret} if secret == SECRET else None
