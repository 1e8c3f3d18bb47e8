"""Puts the finished bundles into the wheel, so that an installed mockbill only loads JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent


class BundleHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before the wheel is put together; not for editable installs, which read `spec/` where it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, str(ROOT))
        from mock_server import bundles

        out = ROOT / "build" / "bundles"
        out.mkdir(parents=True, exist_ok=True)
        for api in bundles.names():
            path = out / f"{api}.json"
            path.write_bytes(bundles.dumps(bundles.build(api)))
            build_data["force_include"][str(path)] = f"mock_server/_data/bundles/{api}.json"
