"""Requests as recipes: made once, changed in parts, sent to a world that has what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .client import ACME, Answer, World

Setup = Callable[[World], "Mapping[str, str] | None"]


class Request:
    """A request as a recipe: change parts of it with `but`, send it with `send`.

    `setup` makes what the request needs and gives the names for its `{placeholders}`. `unprivileged` is a credential
    without the permission that it takes; None if any credential will do.
    """

    def __init__(
        self,
        method: str,
        path: str,
        key: str | None = None,
        json: Any = ...,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        query: bytes = b"",
        setup: Setup | None = None,
        unprivileged: str | None = "demo-member",
    ) -> None:
        self.parts: dict[str, Any] = {
            "method": method,
            "path": path,
            "key": key,
            "json": json,
            "headers": headers or {},
            "body": body,
            "query": query,
        }
        self.setup = setup
        self.unprivileged = unprivileged

    def but(self, setup: Setup | None = None, **changes: Any) -> Request:
        return Request(**{**self.parts, **changes}, setup=setup or self.setup, unprivileged=self.unprivileged)

    def prepared(self, world: World) -> Request:
        """Ready to be sent to a world in which all that it needs has been made."""
        names = {"world": world.name, **((self.setup(world) if self.setup is not None else None) or {})}
        return Request(**_filled(self.parts, names), unprivileged=self.unprivileged)

    def send(self, world: World) -> Answer:
        parts = self.prepared(world).parts
        return world.client.request(parts.pop("method"), parts.pop("path"), **parts)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
    elif isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    elif isinstance(value, list):
        return [_filled(each, names) for each in value]
    return value


def org(path: str) -> str:
    return f"/w/{{world}}/api/v1/orgs/{ACME}/billing/{path}"


def api(path: str) -> str:
    return f"/w/{{world}}/api/v1{path}"
