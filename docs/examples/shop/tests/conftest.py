"""The shop, running, with a billing backend of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from shop.app import Config, Customer, create_app
from starlette.applications import Starlette

from contracts.fixtures import World

WHSEC = "whsec_shop"


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """An ASGI application in a thread of its own, at a port that was free. Gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def shop_url(mockbill_world: World) -> Iterator[str]:
    owner = mockbill_world.credential("owner")
    config = Config(
        billing_url=f"{mockbill_world.url}/api/v1",
        webhook_secret=WHSEC,
        customers={"acme": Customer(owner.org or "", owner.secret)},
    )
    with running(create_app(config)) as url:
        yield url


@pytest.fixture
def shop(shop_url: str) -> Iterator[httpx.Client]:
    """A client of the shop. Nobody sends it webhooks yet."""
    with httpx.Client(base_url=shop_url, trust_env=False) as client:
        yield client


@pytest.fixture
def hooks(shop_url: str) -> str:
    """Where the shop takes webhooks."""
    return f"{shop_url}/hooks/billing"


@pytest.fixture
def connected(mockbill_world: World, hooks: str) -> World:
    """The world, once it tells the shop of everything that happens."""
    mockbill_world.notify(hooks, scheme="stripe", secret=WHSEC)
    return mockbill_world
