"""Runs the other server on the loopback interface until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import socket
from pathlib import Path

import uvicorn

from .spec import Spec
from .state import World
from .times import read_instant
from .web import make_app

HOST = "127.0.0.1"


async def serve(options: argparse.Namespace) -> None:
    spec = Spec(options.bundle)
    world = World(options.now, options.catalog, spec.permissions)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, options.port))
    world.base_url = f"http://{HOST}:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        make_app(world, spec), log_level="critical", access_log=False, lifespan="off", server_header=False, http="h11"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not (server.started or running.done()):
        await asyncio.sleep(0.01)
    if server.started:
        print(f"ready {world.base_url}", flush=True)
    await running


def main() -> None:
    parser = argparse.ArgumentParser(prog="other_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--catalog", type=Path, required=True, help="the YAML file with the tiers")
    parser.add_argument("--now", type=read_instant, default="2026-01-15T12:00:00Z", help="where the clock starts")
    parser.add_argument("--bundle", type=Path, default=Path(__file__).with_name("openapp.json"), help="the contract")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
