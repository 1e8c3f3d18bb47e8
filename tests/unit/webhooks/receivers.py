"""Applications that receive Stripe's webhooks: a good one, and some with one fault each."""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

SECRET, NEW_SECRET = "whsec_gauntlet", "whsec_rolled"
TOLERANCE = 300

Headers = Mapping[str, str]
Judge = Callable[[Headers, bytes], int]


class Application:
    """Verifies the raw body with Stripe's library, and remembers event ids."""

    secrets: tuple[str, ...] = (SECRET, NEW_SECRET)

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def receive(self, headers: Headers, body: bytes) -> int:
        try:
            if not self.is_signed(headers, body):
                return 400
            event = json.loads(body)
        except (ValueError, RecursionError):
            return 400
        return self.taken(event) if isinstance(event, dict) and isinstance(event.get("id"), str) else 400

    def is_signed(self, headers: Headers, body: bytes) -> bool:
        return any(self.fits(headers.get("stripe-signature", ""), body, secret) for secret in self.secrets)

    def fits(self, header: str, body: bytes, secret: str) -> bool:
        try:
            return stripe.WebhookSignature.verify_header(body.decode(), header, secret, TOLERANCE)  # type: ignore[no-untyped-call,no-any-return]
        except stripe.SignatureVerificationError:
            return False

    def taken(self, event: dict[str, Any]) -> int:
        with self.lock:
            self.seen.add(event["id"])
        return 200


def parts(header: str) -> tuple[str, list[str]]:
    entries = [entry.partition("=")[::2] for entry in header.split(",")]
    return next((text for key, text in entries if key == "t"), ""), [text for key, text in entries if key == "v1"]


def seal(time_text: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), time_text.encode() + b"." + body, sha256).hexdigest()


class NeverVerifies(Application):
    def is_signed(self, headers: Headers, body: bytes) -> bool:
        return True


class Reserialises(Application):
    """What a framework's parser made of the body, written again."""

    def fits(self, header: str, body: bytes, secret: str) -> bool:
        again = json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode()
        return super().fits(header, again, secret)


class NoTolerance(Application):
    def fits(self, header: str, body: bytes, secret: str) -> bool:
        time_text, signatures = parts(header)
        expected = seal(time_text, body, secret)
        return time_text.isdecimal() and any(
            hmac.compare_digest(expected.encode(), each.encode()) for each in signatures
        )


class ComparesPrefix(Application):
    def fits(self, header: str, body: bytes, secret: str) -> bool:
        time_text, signatures = parts(header)
        if not time_text.isdecimal() or time.time() - int(time_text) > TOLERANCE:
            return False
        return any(each and seal(time_text, body, secret)[:16] == each[:16] for each in signatures)


class FirstSignatureOnly(Application):
    def fits(self, header: str, body: bytes, secret: str) -> bool:
        time_text, signatures = parts(header)
        return super().fits(f"t={time_text},v1={signatures[0] if signatures else ''}", body, secret)


class CrashesOnBadHeaders(Application):
    def receive(self, headers: Headers, body: bytes) -> int:
        entries = dict(entry.split("=") for entry in headers["stripe-signature"].split(","))
        return super().receive(headers, body) if int(entries["t"]) > 0 else 400


class RefusesRepetitions(Application):
    def taken(self, event: dict[str, Any]) -> int:
        with self.lock:
            is_new = event["id"] not in self.seen
            self.seen.add(event["id"])
        return 200 if is_new else 409


class StrictTypes(Application):
    def taken(self, event: dict[str, Any]) -> int:
        known = ("invoice.", "customer.subscription.")
        return super().taken(event) if event["type"].startswith(known) else 422


class CrashesOnBadJson(Application):
    def receive(self, headers: Headers, body: bytes) -> int:
        if not self.is_signed(headers, body):
            return 400
        return self.taken(json.loads(body))


class CaseSensitive(Application):
    is_case_sensitive = True

    def is_signed(self, headers: Headers, body: bytes) -> bool:
        return super().is_signed({"stripe-signature": headers.get("Stripe-Signature", "")}, body)


class OneSecretOnly(Application):
    secrets = (SECRET,)


class EmptySecretToo(NoTolerance):
    """One of its settings is not set, and its verifier does not mind (Stripe's own does)."""

    secrets = (SECRET, NEW_SECRET, "")


class Hangs(Application):
    """Waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def receive(self, headers: Headers, body: bytes) -> int:
        self.let_go.wait(20)
        return 200


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """Its URL. A crash is a 500, as every framework has it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_exact = getattr(application, "is_case_sensitive", False)
            headers = {name if is_exact else name.lower(): value for name, value in self.headers.items()}
            try:
                status = application.receive(headers, body)
            except Exception:
                status = 500
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                pass

        def log_message(self, *args: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hooks"
    finally:
        if isinstance(application, Hangs):
            application.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
