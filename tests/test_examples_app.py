"""The example application under docs/examples passes its own tests, with the plugin as a user gets it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from types import ModuleType

import stripe
from hypothesis import given
from hypothesis import strategies as st

from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Message
from tests.contracts.test_pytest_plugin import PLUGIN
from tests.server import ROOT


def test_the_shop() -> None:
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-q", "-p", "no:cacheprovider", "docs/examples/shop"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MOCKBILL_", "PYTEST_"))}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@given(
    st.binary(max_size=20),
    st.lists(st.sampled_from(["t=1000", "t=x", "t=", "v1=00", "v0=00", "v1", "", "GOOD", "OTHER"]), max_size=4),
)
def test_the_shop_checks_signatures_as_the_vendor_does(body: bytes, parts: list[str]) -> None:
    """It accepts nothing that Stripe's library refuses."""
    shown = {"GOOD": ("whsec_a", 1000), "OTHER": ("whsec_b", 1000)}
    text = ",".join(signed(body, *shown[part]).partition(",")[2] if part in shown else part for part in parts)
    try:
        events().check_signature(body, text, "whsec_a", 1000)
    except events().BadSignature:
        return
    if body.isascii():
        stripe.WebhookSignature.verify_header(body.decode(), text, "whsec_a")


@cache
def events() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop_events", ROOT / "docs/examples/shop/shop/events.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def signed(body: bytes, secret: str, now: int) -> str:
    return dict(schemes()["stripe"].sign(Message(body), secret, now).headers)["Stripe-Signature"]
