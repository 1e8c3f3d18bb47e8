"""The bundles: one OpenAPI 3.0.3 document per API, put together from `spec/<api>/` by prance.

Putting together takes a moment, so the result is kept as JSON: in the wheel when it is built, in a checkout under
`.cache/`, named after a digest of the sources, and made anew when a file under `spec/` changed. This is the only
module that knows where `spec/` lives.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mock_server.paths import CHECKOUT, INSTALLED, IS_CHECKOUT

SPEC = (CHECKOUT if IS_CHECKOUT else INSTALLED) / "spec"
_CACHE = CHECKOUT / ".cache" / "bundles"
_FORMAT = b"1"
_SHARED_SECTIONS = ("schemas", "parameters", "headers", "responses", "requestBodies", "examples", "links")

_DATA = ("example", "default", "enum", "value")
"""Members that hold data, which is never shortened (unless they are the names of properties)."""

Bundle = dict[str, Any]


class BundleError(ValueError):
    """The files under `spec/` do not make a valid bundle; the message says where and why."""


def names() -> list[str]:
    """The APIs that have a spec."""
    return sorted(path.name for path in SPEC.iterdir() if (path / "openapi.yaml").is_file())


def load(api: str) -> bytes:
    """The bundle as JSON bytes, from where it is kept if its sources have not changed."""
    if not IS_CHECKOUT:
        return (INSTALLED / "bundles" / f"{api}.json").read_bytes()
    kept = _CACHE / f"{api}-{_digest(SPEC / api)}.json"
    try:
        return kept.read_bytes()
    except OSError:
        pass
    data = dumps(build(api))
    try:
        _keep(kept, data)
    except OSError:
        pass  # a read-only checkout still works, only slower
    return data


def build(api: str, spec: Path = SPEC) -> Bundle:
    """The bundle made anew: resolved and validated, then with `$ref`s to components put back. Raises BundleError."""
    # Imported here because `serve` only loads JSON and these take a quarter of a second.
    from prance import ResolvingParser, ValidationError
    from prance.util.formats import ParseError
    from prance.util.url import ResolutionError

    root = spec / api / "openapi.yaml"
    try:
        parser = ResolvingParser(str(root), backend="openapi-spec-validator", strict=True)
    except (ValidationError, ResolutionError, ParseError, ValueError, OSError) as error:
        raise BundleError(f"{root}: {error}") from error
    return put_back_references(json.loads(json.dumps(parser.specification, default=str)))


def dumps(bundle: Bundle) -> bytes:
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


def put_back_references(resolved: Bundle) -> Bundle:
    """`resolved` with every subtree that equals a component replaced by a `$ref` to it.

    Generated clients then get named schemas. A component's own top level stays written out.
    """
    components = resolved.get("components", {})
    known = {
        _canonical(value): f"#/components/{section}/{name}"
        for section in _SHARED_SECTIONS
        for name, value in components.get(section, {}).items()
        if isinstance(value, dict)
    }

    def shortened(node: Any, *, is_component: bool = False, is_map: bool = False) -> Any:
        if isinstance(node, list):
            return [shortened(each) for each in node]
        if not isinstance(node, dict):
            return node
        if not is_component and (reference := known.get(_canonical(node))):
            return {"$ref": reference}
        return {
            key: value if key in _DATA and not is_map else shortened(value, is_map=key == "properties" and not is_map)
            for key, value in node.items()
        }

    short: Bundle = {key: shortened(value) for key, value in resolved.items() if key != "components"}
    short["components"] = {
        section: {
            name: shortened(value, is_component=True) if section in _SHARED_SECTIONS else value
            for name, value in entries.items()
        }
        for section, entries in components.items()
    }
    return short


def _canonical(node: Any) -> str:
    return json.dumps(node, sort_keys=True, ensure_ascii=False)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256(_FORMAT)
    for path in sorted(folder.rglob("*.yaml")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(temporary).replace(path)
    for stale in path.parent.glob(f"{path.name.rsplit('-', 1)[0]}-*.json"):
        if stale != path:
            stale.unlink(missing_ok=True)
