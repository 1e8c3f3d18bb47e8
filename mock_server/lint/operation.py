"""An operation as the rules see it: its parameters, body, answers and who may call it, references followed."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mock_server.openapi.walk import METHODS, as_list, as_map, follow, join, resolve


class Operation(msgspec.Struct, frozen=True, eq=False):
    """One operation of `paths`. Callbacks are not here: they are requests that the server sends."""

    bundle: Mapping[str, Any]
    pointer: str
    path: str
    method: str
    node: Mapping[str, Any]
    shared: list[Any]
    """The parameters of the path item."""

    @property
    def secured(self) -> bool:
        """Whether a caller without a credential is refused."""
        security = self.node.get("security", self.bundle.get("security"))
        # An empty alternative lets anonymous callers in.
        return isinstance(security, list) and bool(security) and all(security)

    @property
    def permission(self) -> Any:
        """What `x-permission` says, or None."""
        return self.node.get("x-permission") or None

    @property
    def parameters(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The parameters by (in, name); the operation's own win over the path item's."""
        found = {}
        for node in [*self.shared, *as_list(self.node.get("parameters"))]:
            parameter = as_map(resolve(self.bundle, node))
            if parameter:
                found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        return found

    @property
    def body(self) -> tuple[str, Mapping[str, Any]] | None:
        """Where the request body is written and what it is, if there is one."""
        pointer, node = follow(self.bundle, join(self.pointer, "requestBody"), self.node.get("requestBody"))
        return (pointer, node) if isinstance(node, Mapping) else None

    @property
    def statuses(self) -> set[str]:
        """The declared statuses, ranges and `default` included."""
        return {str(status) for status in as_map(self.node.get("responses"))} - {""}

    @property
    def responses(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """(status, pointer, response) of each declared answer, pointing at where it is written."""
        for status, node in as_map(self.node.get("responses")).items():
            where = join(self.pointer, "responses", status)
            pointer, response = follow(self.bundle, where, node)
            if isinstance(response, Mapping) and not str(status).startswith("x-"):
                yield str(status), pointer, response


def operations(bundle: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation under `paths`, in document order."""
    for path, item in as_map(bundle.get("paths")).items():
        if str(path).startswith("x-"):
            continue
        for method in METHODS:
            node = as_map(item).get(method)
            if isinstance(node, Mapping):
                pointer = join("/paths", path, method)
                yield Operation(bundle, pointer, str(path), method, node, as_list(item.get("parameters")))


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON: application/json or anything +json."""
    essence = media_type.split(";", maxsplit=1)[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def json_content(pointer: str, holder: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(pointer, media type object) of the JSON content of a body or a response."""
    for name, media in as_map(holder.get("content")).items():
        if is_json(str(name)) and isinstance(media, Mapping):
            yield join(pointer, "content", name), media


def is_success(status: str) -> bool:
    """Whether a declared status is an answer to a request that worked: 2xx or a redirect."""
    return status[:1] in ("2", "3")
