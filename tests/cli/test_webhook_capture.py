"""`mockbill webhook capture`, `redact` and `import` as a user calls them."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import LARGEST_FILE, load_capture
from tests.server import ROOT
from tests.wire.raw import Connection, NoAnswer, exchange, request

from .command import check_wrong_use, environment, inside

STRIPE = FIXTURES / "webhooks" / "stripe" / "acme-04-invoice-paid.json"
BODY = b'{"type":"invoice.paid","email":"jm@acme.test"}'
SENT = request("POST", "/", ("Host: me.example", "Stripe-Signature: t=1,v1=ab"), BODY)
LIMIT = 20.0


class Capturing:
    """`mockbill webhook capture` in a process of its own."""

    def __init__(self, out: Path, *options: str) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mock_server", "webhook", "capture", "--port", "0", "--out", str(out), *options],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("MOCKBILL_READY "):
            raise AssertionError(self.ended())
        facts = dict(part.split("=", 1) for part in line.split()[1:])
        self.port = int(facts["port"])
        assert facts["url"] == f"http://127.0.0.1:{self.port}"

    def ended(self, how: int | None = None) -> tuple[int, str]:
        """Its exit code and what it said."""
        if how is not None:
            self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, errors

    @property
    def files(self) -> list[Path]:
        return sorted(self.out.glob("*.json"))


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """An application that is reached and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


class TestCapture:
    def test_a_session(self, tmp_path: Path) -> None:
        said = b"HTTP/1.1 201 Made\r\nX-App: Yes\r\ncontent-length: 2\r\n\r\nok"
        got: list[bytes] = []
        with socket.create_server(("127.0.0.1", 0)) as app:

            def answer() -> None:
                connection, _ = app.accept()
                with connection:
                    while BODY not in (got[-1] if got else b""):
                        got.append((got[-1] if got else b"") + connection.recv(65_536))
                    connection.sendall(said)

            thread = threading.Thread(target=answer)
            thread.start()
            port = app.getsockname()[1]
            capturing = Capturing(tmp_path / "a" / "b", "--forward", f"http://127.0.0.1:{port}/hooks")
            with Connection(capturing.port) as connection:
                connection.send(SENT)
                reply = connection.reply()
            thread.join()
        assert (reply.status, reply.headers, reply.body) == (201, [("x-app", "Yes"), ("content-length", "2")], b"ok")
        expected = SENT.replace(b"POST / ", b"POST /hooks ").replace(b"me.example", b"127.0.0.1:%d" % port)
        assert got[-1] == expected
        code, errors = capturing.ended(signal.SIGINT)
        (path,) = capturing.files
        assert code == 0, errors
        assert "-> 201 in " in errors
        assert str(path) in errors
        assert errors.endswith(f"captured: 1, in {capturing.out}/\n")
        capture = load_capture(path)
        assert (capture.provider, capture.title, capture.body, capture.url) == (
            "stripe",
            "invoice.paid",
            BODY,
            "http://me.example/",
        )
        assert capture.answer is not None
        assert path.name.endswith("Z-0001-stripe-invoice.paid.json")

    def test_a_crash_loses_nothing_that_was_passed_on(self, tmp_path: Path, silent: socket.socket) -> None:
        capturing = Capturing(tmp_path, "--forward", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with Connection(capturing.port) as connection:
            connection.send(SENT)
            application, _ = silent.accept()
            with application:
                assert application.recv(4)
                code, _ = capturing.ended(signal.SIGKILL)
            with pytest.raises(NoAnswer):
                connection.reply()
        assert code == -signal.SIGKILL
        assert [load_capture(path).body for path in capturing.files] == [BODY]

    def test_it_stops_by_itself_at_its_limit_and_at_once_when_told_twice(
        self, tmp_path: Path, silent: socket.socket
    ) -> None:
        limited = Capturing(tmp_path / "one", "--limit", "1", "--redact", "--provider", "unknown")
        waiting = Capturing(tmp_path / "two", "--forward", f"http://localhost:{silent.getsockname()[1]}")
        assert exchange(limited.port, SENT).status == 200
        code, errors = limited.ended()
        assert (code, "captured: 1" in errors) == (0, True)
        capture = load_capture(limited.files[0])
        assert (capture.redacted, capture.provider) == (True, "unknown")
        assert b"acme" not in limited.files[0].read_bytes()
        assert "--resign" in errors
        with Connection(waiting.port) as connection:
            connection.send(SENT)
            application, _ = silent.accept()
            application.recv(4)
            waiting.process.send_signal(signal.SIGTERM)
            assert exchange_is_refused(waiting.port)
            assert waiting.ended(signal.SIGTERM)[0] == 0
            application.close()

    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            (("--forward", "nowhere"), "--forward is no URL"),
            (("--forward", "http://u:secret@localhost/"), "credentials"),
            (("--forward", "http://example.com/"), "--allow-remote"),
            (("--public-url", "me.example"), "--public-url is no URL"),
            (("--provider", "nobody"), "there are: "),
            (("--limit", "0"), "--limit"),
            (("--port", "70000"), "--port"),
            (("--host", "no such host"), "cannot listen on"),
            (("--out", str(STRIPE)), "cannot write to"),
            (("--out", "/proc/captures"), "cannot write to"),
        ],
    )
    def test_wrong_use(self, options: tuple[str, ...], hint: str, tmp_path: Path) -> None:
        ran = inside("webhook", "capture", "--out", str(tmp_path / "out"), *options)
        check_wrong_use(ran, hint)
        assert "secret" not in ran.errors

    def test_a_port_that_is_taken(self, silent: socket.socket, tmp_path: Path) -> None:
        port = str(silent.getsockname()[1])
        check_wrong_use(inside("webhook", "capture", "--port", port, "--out", str(tmp_path)), "--port (0 takes any")

    def test_no_circles(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        there = ("webhook", "capture", "--port", port, "--out", str(tmp_path), "--forward")
        for target in (f"http://127.0.0.1:{port}", f"http://localhost:{port}/hooks"):
            check_wrong_use(inside(*there, target), "in circles")


def exchange_is_refused(port: int) -> bool:
    """Waits until nobody listens any more."""
    for _ in range(10_000):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                pass
        except OSError:
            return True
    return False


class TestRedact:
    def test_into_a_folder(self, tmp_path: Path) -> None:
        ran = inside("webhook", "redact", str(STRIPE), "--out", str(tmp_path / "shown"))
        assert ran.code == 0, ran
        assert "body data.object.customer_email" in ran.out
        assert "--resign" in ran.errors
        told = load_capture(tmp_path / "shown" / STRIPE.name)
        assert told.redacted
        assert told.headers == load_capture(STRIPE).headers
        check_wrong_use(inside("webhook", "redact", str(STRIPE), "--out", str(tmp_path / "shown")), "is there already")

    def test_in_place_and_through_a_pipe(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        shutil.copy(STRIPE, path)
        ran = inside("webhook", "redact", "-", stdin=STRIPE.read_bytes())
        assert ran.code == 0, ran
        assert inside("webhook", "redact", "--in-place", str(path)).code == 0
        assert path.read_text() == ran.out
        again = inside("webhook", "redact", "--in-place", str(path))
        assert "nothing to replace" in again.out
        assert path.read_text() == ran.out

    def test_wrong_use(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text("{}")
        good = tmp_path / "good.json"
        shutil.copy(STRIPE, good)
        before = good.read_bytes()
        for arguments, hint in (
            ((str(good),), "--in-place"),
            ((str(good), "--in-place", "--out", str(tmp_path)), "--in-place"),
            ((str(good), str(bad), "--in-place"), "bad.json"),
            ((str(tmp_path), "--in-place"), "cannot be read"),
            ((str(tmp_path / "none"), "--in-place"), "cannot be read"),
            ((str(good), str(good), "--in-place"), "same name"),
            ((str(good), "--out", str(bad)), "cannot write"),
            (("-", "--out", str(tmp_path / "x")), "no name"),
        ):
            check_wrong_use(inside("webhook", "redact", *arguments, stdin=before), hint)
        assert good.read_bytes() == before

    def test_standard_input_has_a_bound(self) -> None:
        check_wrong_use(inside("webhook", "redact", "-", stdin=b" " * (LARGEST_FILE + 9)), "larger than")


EVENT: dict[str, Any] = {"object": "event", "id": "evt_1", "type": "invoice.paid", "created": 1776418105, "data": {}}


class TestImport:
    def test_stripe_events_signed(self, tmp_path: Path) -> None:
        source = tmp_path / "event.json"
        source.write_text(json.dumps(EVENT))
        out = str(tmp_path / "out")
        ran = inside("webhook", "import", str(source), "--out", out, env={"MOCKBILL_WEBHOOK_SECRET": "whsec_demo"})
        assert (ran.code, ran.errors) == (0, ""), ran
        (path,) = (tmp_path / "out").iterdir()
        assert path.name == "20260417T092825.000000Z-0001-stripe-invoice.paid.json"
        assert str(path) in ran.out
        assert "whsec_demo" not in ran.out + path.read_text()
        again = inside("webhook", "import", str(source), "--out", out, "--json")
        assert json.loads(again.out)["captures"][0]["file"].endswith("Z-0002-stripe-invoice.paid.json")
        assert "not signed" in again.errors

    def test_a_pipe_and_a_redaction(self, tmp_path: Path) -> None:
        text = b"curl https://me.example/h -H 'Cookie: a' --data-raw '{\"email\":\"jm@acme.test\"}'"
        ran = inside("webhook", "import", "-", "--out", str(tmp_path), "--redact", "--provider", "square", stdin=text)
        assert ran.code == 0, ran
        assert "--resign" in ran.errors
        (path,) = tmp_path.iterdir()
        told = load_capture(path)
        assert (told.provider, told.redacted, told.url) == ("square", True, "https://me.example/h")
        assert "acme" not in path.read_text()

    def test_wrong_use(self, tmp_path: Path) -> None:
        source = tmp_path / "event.json"
        source.write_text(json.dumps(EVENT))
        spaced = tmp_path / "spaced.json"
        spaced.write_text(json.dumps({**EVENT, "id": "evt 1"}))
        cases: list[tuple[tuple[str, ...], bytes, str]] = [
            (("-",), b"", "--from"),
            (("-",), STRIPE.read_bytes(), "a capture already"),
            (("-", "--from", "har"), b"{", "not JSON"),
            (("-", "--from", "curl"), b"wget x", "only curl"),
            (("-",), b"curl h -d @secret.txt", "reads a file"),
            (("-",), b"curl h -d $SECRET", "variable"),
            (("-", "--provider", "nobody"), b"", "there are: "),
            (("-", "--from", "xml"), b"", "--from"),
            ((str(tmp_path),), b"", "cannot read"),
            ((str(tmp_path / "none"),), b"", "cannot read"),
            ((str(source), "--out", str(source)), b"", "cannot write to"),
            ((str(source), "--provider", "standard-webhooks", "--secret", "not base64!"), b"", "base64"),
            ((str(source), "--provider", "unknown", "--secret", "x"), b"", "there are: "),
            ((str(source), "--provider", "square", "--secret", "x"), b"", "signs the URL"),
            ((str(spaced), "--provider", "svix", "--secret", "whsec_c2VjcmV0"), b"", "message id"),
        ]
        out = tmp_path / "out"
        for arguments, stdin, hint in cases:
            check_wrong_use(inside("webhook", "import", "--out", str(out), *arguments, stdin=stdin), hint)
        assert not out.exists()
