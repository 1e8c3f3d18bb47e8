"""Running the app under uvicorn: listen, say where, serve, stop within a second."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from mock_server.http.addressing import CONTROL
from mock_server.http.mock import DEFAULT_WORLD, Mock
from mock_server.http.wire import Protocol

log = logging.getLogger("mockbill")

GRACE_SECONDS = 0.5
"""How long requests under way may take to end; with the rest of stopping that stays under a second."""


class CannotListen(OSError):
    """The address cannot be listened on; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"cannot listen on {host!r}: {_text(error)}") from None
    # Without this a port cannot be taken again for a minute after a server on it stopped.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        hint = "--port (0 takes any free one)" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        raise CannotListen(f"cannot listen on {host}:{port}: {_text(error)}. Choose another with {hint}") from None
    return listener


def run(app: ASGIApp, mock: Mock, listener: socket.socket, on_ready: Callable[[str], None], *, quiet: bool) -> None:
    """Serve until SIGINT or SIGTERM. `on_ready` is called with the base URL once requests are answered."""
    _log_to_stderr(quiet=quiet)
    config = uvicorn.Config(
        app,
        loop="uvloop" if _has("uvloop") else "asyncio",
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,  # type: ignore[arg-type] # only waited for, so a fraction will do
        timeout_keep_alive=75,
    )
    # What was loaded so far stays for good: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(_Server(config), listener, on_ready, mock))


class _Server(uvicorn.Server):
    """Ends with exit code 0 on SIGINT and SIGTERM; uvicorn would raise the signal again when it is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(server: uvicorn.Server, listener: socket.socket, on_ready: Callable[[str], None], mock: Mock) -> None:
    async def tell() -> None:
        while not server.started:
            await asyncio.sleep(0.005)
        on_ready(base_url(listener))

    mock.port = listener.getsockname()[1]
    telling = asyncio.ensure_future(tell())
    try:
        await server.serve(sockets=[listener])
    finally:
        telling.cancel()
        owed = await mock.webhooks.stop(GRACE_SECONDS)
        if owed:
            log.warning("%d webhook deliveries were still owed, and are forgotten with the worlds they came from", owed)


def base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def announcement(mock: Mock, url: str) -> str:
    """What a person wants to know at start-up: where it is, which keys it takes, where the controls are."""
    url = url.rstrip("/")
    lines = [f"mockbill is ready: {url}", ""]
    world = mock.worlds.get(DEFAULT_WORLD)
    for name, api in mock.apis.items():
        lines.append(f"  {api.title}: {url}/{name}{api.base_paths[0]}")
        if name == mock.options.root_api:
            lines.append(f"  {' ' * len(api.title)}  {url}{api.base_paths[0]} (the root API)")
        credentials = api.credentials(world.state.apis[name]) if world is not None else []
        width = max((len(each.secret) for each in credentials), default=0)
        for each in credentials:
            token = "answers 401" if each.revoked else api.token_form(url, each.secret)
            lines.append(f"    {each.secret:{width}}  {each.name:32}  {token}")
        lines.append("")
    lines.append(f"  Reference: {url}/{mock.options.root_api}/docs")
    lines.append(f"  Control:   {url}/{CONTROL}/docs")
    if mock.options.control_token is not None:
        lines.append(f"  Control token (Authorization: Bearer ...): {mock.options.control_token}")
        if mock.options.public_url is None:
            lines.append(
                "  Other machines reach the control API only with --public-url http://NAME:PORT, the name they use."
            )
    return "\n".join(lines)


def _log_to_stderr(*, quiet: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("mockbill")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _text(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
