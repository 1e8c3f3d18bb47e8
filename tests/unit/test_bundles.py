"""Bundles: valid, with named schemas, found again without being made anew, and made anew when a source changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from prance import ResolvingParser

from mock_server import bundles


@pytest.mark.parametrize("api", bundles.names())
def test_every_component_is_referred_to_or_answered_before_an_operation_is_known(api: str) -> None:
    bundle = json.loads(bundles.load(api))
    text = json.dumps(bundle)
    unused = [
        f"{section}/{name}"
        for section, entries in bundle["components"].items()
        if section != "securitySchemes"
        for name in entries
        if f'"#/components/{section}/{name}"' not in text
    ]
    assert set(unused) <= {"responses/MethodNotAllowed", "responses/RouteNotFound"}


@pytest.mark.parametrize("api", bundles.names())
def test_with_its_references_followed_it_says_what_the_sources_say(api: str, tmp_path: Path) -> None:
    bundle = bundles.build(api)
    path = tmp_path / "bundle.json"
    path.write_bytes(bundles.dumps(bundle))
    followed = ResolvingParser(str(path), backend="openapi-spec-validator").specification
    sources = ResolvingParser(str(bundles.SPEC / api / "openapi.yaml"), backend="openapi-spec-validator").specification
    assert json.loads(json.dumps(followed)) == json.loads(json.dumps(sources))
    assert bundles.put_back_references(json.loads(json.dumps(followed))) == bundle


def test_it_is_kept_and_made_anew_when_a_source_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    build = bundles.build

    def counted(api: str) -> bundles.Bundle:
        built.append(api)
        return build(api, bundles.SPEC)

    monkeypatch.setattr(bundles, "build", counted)
    monkeypatch.setattr(bundles, "_CACHE", tmp_path / "kept")
    first = bundles.load("openapp")
    assert bundles.load("openapp") == first
    assert built == ["openapp"]
    # Another folder, because prance remembers for a whole process what it has read.
    shutil.copytree(bundles.SPEC, tmp_path / "changed")
    source = tmp_path / "changed" / "openapp" / "openapi.yaml"
    source.write_text(source.read_text().replace("title: OpenApp billing", "title: Changed"))
    monkeypatch.setattr(bundles, "SPEC", tmp_path / "changed")
    assert b"Changed" in bundles.load("openapp")
    assert built == ["openapp", "openapp"]
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("openapi: 3.0.3", "openapi: 2.0"), ("paths/plans.yaml#/plans", "paths/plans.yaml#/none"), ("info:", "inf: [")],
)
def test_what_is_wrong_with_the_sources_is_said(tmp_path: Path, old: str, new: str) -> None:
    shutil.copytree(bundles.SPEC, tmp_path / "spec")
    source = tmp_path / "spec" / "openapp" / "openapi.yaml"
    source.write_text(source.read_text().replace(old, new, 1))
    with pytest.raises(bundles.BundleError, match=r"openapi\.yaml"):
        bundles.build("openapp", tmp_path / "spec")
