"""Signatures made and checked per second, scheme by scheme: `python -m tests.bench.signing`.

Beside them, in the same run, the HMAC alone: what no implementation can do without.
"""

from __future__ import annotations

import argparse
import hmac
import time
from base64 import b64encode
from collections.abc import Callable

from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Message, Verified

from .results import this_machine

NOW = 1_700_000_000
KEY = b64encode(bytes(range(24))).decode()
ED25519 = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="


def per_second(function: Callable[[], object], seconds: float) -> float:
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for _ in range(200):
            function()
        done += 200
    return done / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure")
    parser.add_argument("--bytes", type=int, default=1024, help="of the body")
    given = parser.parse_args()
    message = Message(b"x" * given.bytes, "https://example.test/hooks", "msg_1")
    bare = per_second(lambda: hmac.digest(b"key", message.body, "sha256").hex(), given.seconds)
    print(this_machine())
    print(f"body of {given.bytes} bytes; HMAC-SHA256 alone, in hexadecimal: {bare:,.0f} per second")
    print(f"{'scheme':<28}{'signed/s':>12}{'of the HMAC':>14}{'verified/s':>13}{'of the HMAC':>14}")
    secrets = dict.fromkeys(schemes(), f"whsec_{KEY}")
    for name, scheme in schemes().items():
        for label, secret in [(name, secrets[name])] + (
            [(f"{name} (v1a)", ED25519)] if name.startswith("standard") else []
        ):
            signed = scheme.sign(message, secret, NOW)
            headers = {key.lower(): value for key, value in signed.headers}
            assert isinstance(scheme.verify(message, headers, [secret], NOW), Verified)
            made = per_second(lambda: scheme.sign(message, secret, NOW), given.seconds)  # noqa: B023 - called here
            checked = per_second(lambda: scheme.verify(message, headers, [secret], NOW), given.seconds)  # noqa: B023
            print(f"{label:<28}{made:>12,.0f}{made / bare:>14.2f}{checked:>13,.0f}{checked / bare:>14.2f}")


if __name__ == "__main__":
    main()
