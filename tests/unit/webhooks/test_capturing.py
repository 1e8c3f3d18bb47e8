"""The capturing server on real sockets: what was sent, what the application got, what is in the file, byte for byte."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.engine.instants import parse_instant
from mock_server.webhooks.captures import LARGEST_BODY, MOST_HEADERS, Answer, Capture, load_capture
from mock_server.webhooks.capturing.folder import Folder
from mock_server.webhooks.capturing.heads import CHUNKED, Malformed, RequestHead, chunk_size, head_of, request_head
from mock_server.webhooks.capturing.passing import base_of, called_url, is_at, passed_on, path_at
from mock_server.webhooks.capturing.recognising import event_type, file_name, provider_of, title_of
from mock_server.webhooks.capturing.recording import Options, Recorder
from mock_server.webhooks.capturing.serving import Limits, Server
from mock_server.webhooks.json_tokens import parsed
from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.targets import InvalidTarget, RemoteTarget

from .raw_receiver import Receiver, certificate, usual

NOW = parse_instant("2026-11-21T18:31:50.123456Z")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
QUICK = Limits(receiving=0.1, idle=5.0, lingering=0.1, stopping=0.2)
LONG = 20.0

NAMES = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=12).filter(
    lambda name: (
        name.lower()
        not in ("connection", "content-length", "transfer-encoding", "expect", "host", "te", "upgrade", "trailer")
    )
)
VALUES = (
    st.binary(max_size=20)
    .map(lambda raw: re.sub(rb"[\x00\r\n]", b"", raw).strip(b" \t").decode("latin-1"))
    .filter(lambda value: len(value) < 100)
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(tuple)
PATHS = st.binary(max_size=20).map(lambda raw: "/" + re.sub(rb"[\x00-\x20\x7f]", b"", raw).decode("latin-1"))


class Running:
    """A server and what it has left behind."""

    def __init__(self, server: Server, port: int, folder: Path, lines: list[str]) -> None:
        self.server, self.port, self.folder, self.lines = server, port, folder, lines

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    @property
    def captures(self) -> list[Capture]:
        return [load_capture(path) for path in self.files]

    async def told(self, raw: bytes) -> bytes:
        """All that is answered to `raw`, until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def capturing(
    folder: Path, options: Options | None = None, limits: Limits | None = None
) -> AsyncIterator[Running]:
    lines: list[str] = []
    ticks = itertools.count(NOW)
    store = Folder(folder)
    store.prepare()
    recorder = Recorder(store, options or Options(), lines.append, lambda: next(ticks), lambda: 0.0)
    server = Server(recorder, limits or Limits(stopping=0.5))
    listener = socket.create_server(("127.0.0.1", 0))
    ready = asyncio.Event()
    serving = asyncio.ensure_future(server.serve(listener, ready.set))
    await ready.wait()
    try:
        yield Running(server, listener.getsockname()[1], folder, lines)
    finally:
        server.done.set()
        await serving


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class App:
    """An application that keeps the very bytes that it got."""

    def __init__(self, answer: bytes | Handler = OK) -> None:
        self.answer = answer
        self.got: list[bytes] = []
        self.url = ""

    async def __aenter__(self) -> App:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if callable(self.answer):
            await self.answer(reader, writer)
        else:
            self.got.append(await whole(reader))
            writer.write(self.answer)
        writer.close()


async def whole(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LONG):
            await scenario

    asyncio.run(limited())


def to(app: App, path: str = "", **more: Any) -> Options:
    return Options(forward=base_of(app.url + path), **more)


def split(answer: bytes) -> tuple[bytes, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


class TestExactness:
    def test_every_byte_reaches_the_file_and_the_application_and_comes_back(self, tmp_path: Path) -> None:
        body = b'{"type":"invoice.paid","name":"J\xc3\xb6rg"}\r\n'
        sent = (
            b"POST /in%%20voice/\xc3\xa9?a=1&&b HTTP/1.1\r\n"
            b"User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nhOsT:  me.example \r\nX-B: 2\r\nx-a: \r\n"
            b"Stripe-Signature: t=1,v1=ab\r\nX-B: 1\r\nX-Odd: \xff\x01\x7f\tz\r\nContent-Length: %d\r\n\r\n" % len(body)
        ) + body
        said = (
            b"HTTP/1.1 299 Fine, thanks\r\nset-cookie: a\r\nServer: x\r\nSet-Cookie: b\r\nX-\xe9: \xff\r\n"
            b"content-length: 3\r\n\r\n\x00\xffz"
        ).replace(b"X-\xe9", b"X-E")

        async def scenario() -> None:
            async with App(said) as app, capturing(tmp_path, to(app, "/hooks/")) as running:
                assert await running.told(sent) == said
                host = b"127.0.0.1:%d" % app.port
                expected = sent.replace(b"hOsT:  me.example ", b"hOsT: " + host).replace(b"/in%20", b"/hooks/in%20")
                assert app.got == [expected]
                (path,), (capture,) = running.files, running.captures
                assert path.name == "20261121T183150.123456Z-0001-stripe-invoice.paid.json"
                assert capture == Capture(
                    "stripe",
                    "invoice.paid",
                    NOW,
                    "POST",
                    "/in%20voice/Ã©?a=1&&b",
                    (
                        ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
                        ("hOsT", "me.example"),
                        ("X-B", "2"),
                        ("x-a", ""),
                        ("Stripe-Signature", "t=1,v1=ab"),
                        ("X-B", "1"),
                        ("X-Odd", "ÿ\x01\x7f\tz"),
                        ("Content-Length", str(len(body))),
                    ),
                    body,
                    "http://me.example/in%20voice/Ã©?a=1&&b",
                    Answer(
                        299,
                        (
                            ("set-cookie", "a"),
                            ("Server", "x"),
                            ("Set-Cookie", "b"),
                            ("X-E", "ÿ"),
                            ("content-length", "3"),
                        ),
                        b"\x00\xffz",
                    ),
                )

        run(scenario())

    def test_any_request_survives_wire_file_and_wire(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        with asyncio.Runner() as runner:

            @settings(max_examples=40, deadline=None)
            @given(HEADERS, st.binary(max_size=300), PATHS, st.booleans())
            def try_it(headers: tuple[tuple[str, str], ...], body: bytes, path: str, chunks: bool) -> None:
                folder = tmp_path_factory.mktemp("captures")
                framing = ("Transfer-Encoding", "chunked") if chunks else ("Content-Length", str(len(body)))
                sent = (*headers, ("Host", "h"), framing)
                pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part]
                framed = b"".join([*pieces, b"0\r\n\r\n"]) if chunks else body

                async def scenario() -> None:
                    async with App() as app, capturing(folder, to(app)) as running:
                        answer = await running.told(head_of(f"POST {path} HTTP/1.1", sent) + framed)
                        assert answer == OK, answer
                        (capture,) = running.captures
                        assert (capture.path, capture.headers, capture.body) == (path, sent, body)
                        host = ("Host", f"127.0.0.1:{app.port}")
                        passed = (*headers, host, ("Content-Length", str(len(body))))
                        assert app.got == [head_of(f"POST {path} HTTP/1.1", passed) + body]

                runner.run(scenario())

            try_it()

    def test_chunks_are_put_together_and_passed_on_with_their_length(self, tmp_path: Path) -> None:
        sent = (
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nA: b\r\n\r\n"
            b"3\r\nabc\r\n4;name=value\r\nd\r\n\xff\r\n0\r\nX-T: 1\r\n\r\n"
        )

        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                assert await running.told(sent) == OK
                (capture,) = running.captures
                assert capture.body == b"abcd\r\n\xff"
                assert ("Transfer-Encoding", "chunked") in capture.headers
                host = b"Host: 127.0.0.1:%d" % app.port
                assert app.got == [b"POST / HTTP/1.1\r\n" + host + b"\r\nA: b\r\nContent-Length: 7\r\n\r\nabcd\r\n\xff"]

        run(scenario())

    def test_an_answer_in_chunks_comes_back_in_one_piece(self, tmp_path: Path) -> None:
        said = (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: X-Hop, close\r\nX-Hop: 1\r\nA: b\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )

        async def scenario() -> None:
            async with App(said) as app, capturing(tmp_path, to(app)) as running:
                answer = await running.told(b"POST / HTTP/1.1\r\nHost: h\r\n\r\n")
                assert answer == b"HTTP/1.1 201 Made\r\nA: b\r\nContent-Length: 2\r\n\r\nok"
                assert running.captures[0].answer is not None
                assert ("Connection", "X-Hop, close") in running.captures[0].answer.headers

        run(scenario())

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            (b"HTTP/1.0 200 OK\r\n\r\nall of it", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it"),
            (b"HTTP/1.1 204 \r\nA: b\r\n\r\n", b"HTTP/1.1 204 \r\nA: b\r\n\r\n"),
            (b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n"),
            (b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n"),
        ],
    )
    def test_answers_of_other_kinds(self, tmp_path: Path, said: bytes, expected: bytes) -> None:
        async def scenario() -> None:
            async with App(said) as app, capturing(tmp_path, to(app)) as running:
                assert await running.told(b"POST / HTTP/1.1\r\nHost: h\r\n\r\n") == expected

        run(scenario())

    def test_a_head_is_answered_without_a_body(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with (
                App(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") as app,
                capturing(tmp_path, to(app)) as running,
            ):
                answer = await running.told(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
                assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                assert app.got[0].startswith(b"HEAD / HTTP/1.1\r\n")

        run(scenario())

    def test_a_body_that_offers_an_upgrade_is_not_lost(self, tmp_path: Path) -> None:
        """Java's client sends every first request like this."""
        sent = (
            b"POST / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 4\r\nHost: h\r\n"
            b"HTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n\r\nbody"
        )

        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                assert await running.told(sent) == OK
                assert running.captures[0].body == b"body"
                assert app.got == [b"POST / HTTP/1.1\r\nContent-Length: 4\r\nHost: 127.0.0.1:%d\r\n\r\nbody" % app.port]

        run(scenario())

    def test_requests_in_one_packet_are_answered_one_by_one(self, tmp_path: Path) -> None:
        one = b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n%d"

        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                sent = b"\r\n".join(one % (n, n) for n in range(5))
                assert await running.told(sent) == OK * 5
                assert [capture.body for capture in running.captures] == [b"0", b"1", b"2", b"3", b"4"]

        run(scenario())

    def test_http_1_0(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app, "/x?k=1")) as running:
                answer = await running.told(b"POST /?a HTTP/1.0\r\n\r\nPOST / HTTP/1.0\r\n\r\n")
                assert answer == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
                assert app.got == [b"POST /x?k=1&a HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % app.port]
                assert len(running.captures) == 1

        run(scenario())

    def test_who_waits_before_sending_a_body_is_told_to_go_on(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(b"hi")
                assert await reader.readexactly(len(OK)) == OK
                writer.close()
                assert b"Expect" not in app.got[0]

        run(scenario())

    def test_without_an_application_it_answers_itself(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path) as running:
                head, body = split(await running.told(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"))
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                assert body == b"captured\n"
                assert (running.captures[0].provider, running.captures[0].title) == ("unknown", "GET /x")

        run(scenario())

    def test_the_largest_body_fits_and_one_byte_more_does_not(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                start = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
                body = b"\xff" * LARGEST_BODY
                assert await running.told(start % len(body) + body) == OK
                assert running.captures[0].body == body
                head, text = split(await running.told(start % (len(body) + 1) + body + b"x"))
                assert head.startswith(b"HTTP/1.1 413 ")
                assert b"larger than 10485760 bytes" in text
                chunked = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body)
                assert (await running.told(chunked + body + b"\r\n1\r\nx\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
                assert len(running.files) == 1
                assert "not captured: the body is larger" in running.lines[-1]

        run(scenario())


POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"


class TestApplicationsThatFail:
    def told_instead(
        self, tmp_path: Path, answer: bytes | Handler, status: int, *texts: str, patience: float = LONG
    ) -> None:
        async def scenario() -> None:
            async with App(answer) as app, capturing(tmp_path, to(app, patience=patience)) as running:
                head, body = split(await running.told(POST))
                assert head.startswith(b"HTTP/1.1 %d " % status), head
                for text in texts:
                    assert text.encode() in body, body
                (capture,) = running.captures
                assert (capture.body, capture.answer) == (b"body", None)
                assert running.files[0].name.encode() in body
                assert any(f"-> {status}" in line for line in running.lines)

        run(scenario())

    def test_one_that_does_not_run(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            async with capturing(tmp_path, Options(forward=base_of(f"http://localhost:{port}/h"))) as running:
                head, body = split(await running.told(POST))
                assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
                assert b"the application at http://localhost:%d cannot be reached: " % port in body
                assert b"refused" in body
                assert running.captures[0].body == b"body"

        run(scenario())

    def test_one_with_a_certificate_of_its_own(self, tmp_path: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path / "both.pem"))

        def behave(connection: socket.socket, receiver: Receiver) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                usual(secure, receiver)

        async def scenario(url: str) -> None:
            async with capturing(tmp_path, Options(forward=base_of(url))) as running:
                assert split(await running.told(POST))[1] == b"ok"

        with Receiver(behave=behave) as receiver:
            run(scenario(f"https://localhost:{receiver.port}/h"))

    def test_one_that_hangs(self, tmp_path: Path) -> None:
        async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        self.told_instead(tmp_path, hangs, 504, "did not answer within 0.1 s", patience=0.1)

    def test_one_that_answers_forever(self, tmp_path: Path) -> None:
        async def dribbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            await reader.read()

        self.told_instead(tmp_path, dribbles, 504, patience=0.1)

    def test_one_that_resets(self, tmp_path: Path) -> None:
        async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await whole(reader)
            writer.transport.abort()

        self.told_instead(tmp_path, resets, 502, "the application at")

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            (b"", "closed the connection"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "closed the connection"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "closed the connection"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "size of a chunk"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n", "longer than it says"),
            (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no status line"),
            (b"\x00" * 70_000, "answered what is not HTTP"),
            (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "a header line cannot be read"),
            (b"HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: c\r\n\r\n", "does not end with CR LF"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "Content-Length"),
            (b"HTTP/1.1 101 Switching\r\n\r\n", "protocol"),
            (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "again and again"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n", "larger than"),
        ],
    )
    def test_one_that_answers_nonsense(self, tmp_path: Path, answer: bytes, text: str) -> None:
        self.told_instead(tmp_path, answer, 502, text)

    def test_one_that_answers_before_it_has_read_all(self, tmp_path: Path) -> None:
        async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0)

        async def scenario() -> None:
            async with App(hasty) as app, capturing(tmp_path, to(app)) as running:
                body = b"x" * 5_000_000
                answer = await running.told(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                assert answer.startswith((b"HTTP/1.1 413 No", b"HTTP/1.1 502"))
                assert running.captures[0].body == body

        run(scenario())

    def test_the_file_is_there_before_the_application_knows(self, tmp_path: Path) -> None:
        seen: list[bytes] = []

        async def looks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(load_capture(path).body for path in tmp_path.iterdir())
            await whole(reader)
            writer.write(OK)

        async def scenario() -> None:
            async with App(looks) as app, capturing(tmp_path, to(app)) as running:
                assert await running.told(POST) == OK

        run(scenario())
        assert seen == [b"body"]

    def test_a_long_answer_is_passed_back_whole_and_kept_in_part(self, tmp_path: Path) -> None:
        said = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"y" * 2_000_000

        async def scenario() -> None:
            async with App(said) as app, capturing(tmp_path, to(app)) as running:
                assert await running.told(POST) == said
                answer = running.captures[0].answer
                assert answer is not None
                assert (len(answer.body), answer.cut) == (2**20, True)

        run(scenario())


class TestClientsThatFail:
    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (b"nonsense\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00", 400),
            (b"POST /\r\n\r\n", 400),
            (b"POST / HTTP/2.0\r\n\r\n", 505),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            (b"POST * HTTP/1.1\r\n\r\n", 400),
            (b"CONNECT h:1 HTTP/1.1\r\n\r\n", 501),
            (b"POST /a b HTTP/1.1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nA : b\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nA: b\x00\r\n\r\n", 400),
            (b"POST / HTTP/1.1\nA: b\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 9_000 + b"\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 9_000 + b"\r\n", 431),
            (b"POST /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"POST / HTTP/1.1\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431),
            (b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * (MOST_HEADERS + 1) + b"\r\n", 431),
            (b"POST / HTTP/1.1\r\nA: " + b"a" * 100_000, 431),
        ],
        ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
    )
    def test_what_cannot_be_kept_is_refused_and_not_passed_on(self, tmp_path: Path, raw: bytes, status: int) -> None:
        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                head, body = split(await running.told(raw))
                assert head.startswith(b"HTTP/1.1 %d " % status), head
                assert head.endswith(b"Connection: close")
                assert b"was not captured: " in body
                assert (running.files, app.got) == ([], [])
                assert running.lines[-1].startswith("not captured: ")

        run(scenario())

    def test_one_that_sends_half_and_goes(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with App() as app, capturing(tmp_path, to(app)) as running:
                for size in (1, 20, len(POST) - 1):
                    assert await running.told(POST[:size]) == b""
                assert (running.files, app.got) == ([], [])
                assert running.lines == ["not captured: the client closed the connection within a request"] * 3
                assert await running.told(POST) == OK

        run(scenario())

    def test_one_that_sends_half_and_stops(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path, limits=QUICK) as running:
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writer.write(POST[:-1])
                assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
                writer.close()
                assert running.files == []

        run(scenario())

    def test_one_that_only_connects(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path, limits=Limits(idle=0.05)) as running:
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                assert await reader.read() == b""
                writer.close()

        run(scenario())

    def test_one_connection_too_many(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path, limits=Limits(connections=2, lingering=0.1, stopping=0.2)) as running:
                idle = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(2)]
                assert (await running.told(POST)).startswith(b"HTTP/1.1 503 ")
                idle[0][1].write(POST)
                assert (await idle[0][0].readuntil(b"\n")).startswith(b"HTTP/1.1 200 ")
                for _, writer in idle:
                    writer.close()

        run(scenario())

    def test_more_than_there_is_memory_for(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path, limits=Limits(memory=5, lingering=0.1, stopping=0.2)) as running:
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writer.write(POST[:-1])
                while not running.server._held:
                    await asyncio.sleep(0)
                assert (await running.told(POST)).startswith(b"HTTP/1.1 503 ")
                writer.write(POST[-1:])
                assert (await reader.readuntil(b"\n")).startswith(b"HTTP/1.1 200 ")
                assert (await running.told(POST)).startswith(b"HTTP/1.1 200 ")
                writer.close()

        run(scenario())

    def test_fifty_at_once(self, tmp_path: Path) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            body = (await whole(reader)).partition(b"\r\n\r\n")[2]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        async def scenario() -> None:
            async with App(echo) as app, capturing(tmp_path, to(app)) as running:
                sent = [b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n%03d" % n for n in range(50)]
                answers = await asyncio.gather(*map(running.told, sent))
                assert [split(answer)[1] for answer in answers] == [each[-3:] for each in sent]
                assert sorted(capture.body for capture in running.captures) == [each[-3:] for each in sent]
                assert all(capture.answer and capture.answer.body == capture.body for capture in running.captures)

        run(scenario())


class TestStopping:
    def test_what_is_under_way_is_finished(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            asked, go_on = asyncio.Event(), asyncio.Event()

            async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await whole(reader)
                asked.set()
                await go_on.wait()
                writer.write(OK)

            async with App(slow) as app:
                async with capturing(tmp_path, to(app)) as running:
                    answer = asyncio.ensure_future(running.told(POST))
                    _, idle = await asyncio.open_connection("127.0.0.1", running.port)
                    _, half = await asyncio.open_connection("127.0.0.1", running.port)
                    half.write(POST[:-1])
                    await asked.wait()
                    running.server.done.set()
                    await asyncio.sleep(0)
                    go_on.set()
                assert (await answer).startswith(b"HTTP/1.1 200 OK\r\n")
                assert len(running.files) == 1
                idle.close()
                half.close()

        run(scenario())

    def test_not_one_more_than_the_limit(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path, Options(limit=3)) as running:
                answers = await asyncio.gather(*(running.told(POST) for _ in range(8)), return_exceptions=True)
                await running.server.done.wait()
                assert len(running.files) == running.server.recorder.captured == 3
                assert sum(isinstance(each, bytes) and b" 200 " in each[:20] for each in answers) == 3

        run(scenario())


class TestFolder:
    def test_two_servers_at_one_folder_take_nothing_from_each_other(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with capturing(tmp_path) as one, capturing(tmp_path) as other:
                await asyncio.gather(*(each.told(POST) for each in (one, other) for _ in range(10)))
                assert len(one.captures) == 20
                assert all(path.suffix == ".json" for path in one.files)

        run(scenario())

    def test_what_cannot_be_stored_is_not_passed_on(self, tmp_path: Path) -> None:
        folder = tmp_path / "captures"

        async def scenario() -> None:
            async with App() as app, capturing(folder, to(app)) as running:
                shutil.rmtree(folder)
                assert (await running.told(POST)).startswith(b"HTTP/1.1 507 ")
                assert app.got == []
                folder.mkdir()
                assert await running.told(POST) == OK
                assert running.server.recorder.captured == 1

        run(scenario())

    def test_a_file_system_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", refuse)
        capture = Capture("unknown", "x", NOW, "POST", "/", (), b"")
        first, second = (Folder(tmp_path).add(capture, 1) for _ in range(2))
        assert [first.name, second.name] == sorted(each.name for each in tmp_path.iterdir())
        assert load_capture(first) == load_capture(second) == capture

    def test_nobody_else_can_read_them(self, tmp_path: Path) -> None:
        path = Folder(tmp_path).add(Capture("unknown", "x", NOW, "POST", "/", (), b""), 1)
        assert path.stat().st_mode & 0o077 == 0


def test_with_redaction_the_application_gets_what_was_sent(tmp_path: Path) -> None:
    body = b'{"type":"x","email":"jm@acme.test"}'

    async def scenario() -> None:
        async with App() as app, capturing(tmp_path, to(app, redact=True)) as running:
            assert await running.told(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body) == OK
            assert app.got[0].endswith(body)
            (capture,) = running.captures
            assert capture.redacted
            assert b"acme" not in running.files[0].read_bytes()
            assert capture.answer is not None
            xml = b"<name>Eve</name>"
            assert await running.told(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(xml) + xml) == OK
            assert any("redacted only in part" in line for line in running.lines)

    run(scenario())


class TestHeads:
    @given(st.binary(max_size=200))
    def test_any_bytes_are_judged(self, raw: bytes) -> None:
        for given_ in (raw, b"POST / HTTP/1.1\r\n" + raw + b"\r\n\r\n"):
            try:
                head = request_head(given_)
            except Malformed:
                continue
            assert isinstance(head, RequestHead)

    @given(PATHS, HEADERS)
    def test_what_is_written_is_read(self, path: str, headers: tuple[tuple[str, str], ...]) -> None:
        head = request_head(head_of(f"POST {path} HTTP/1.1", headers))
        assert (head.method, head.path, head.headers, head.length) == ("POST", path, headers, 0)

    @given(st.binary(max_size=20))
    def test_chunk_sizes(self, line: bytes) -> None:
        try:
            assert chunk_size(line) == int(re.split(rb"[ \t;]", line)[0], 16) >= 0
        except Malformed:
            pass


class TestTargets:
    @pytest.mark.parametrize(
        ("forward", "path", "expected"),
        [
            ("http://h/hooks", "/", "/hooks"),
            ("http://h/hooks/", "/", "/hooks/"),
            ("http://h/hooks", "/stripe?a=1", "/hooks/stripe?a=1"),
            ("http://h/hooks/", "/stripe", "/hooks/stripe"),
            ("http://h", "/", ""),
            ("http://h", "/x", "/x"),
            ("http://h/?k=1", "/?a=2", "/?k=1&a=2"),
            ("http://h/a?k=1", "//b", "/a//b?k=1"),
        ],
    )
    def test_paths(self, forward: str, path: str, expected: str) -> None:
        assert path_at(base_of(forward), path) == expected

    @pytest.mark.parametrize(
        "url",
        ["", "h", "ftp://h/", "http://", "http://h:0/", "http://h:99999/", "http://a b/", "http://u:p@h/", "http://[/"],
    )
    def test_what_is_no_target(self, url: str) -> None:
        with pytest.raises(InvalidTarget):
            base_of(url)

    @pytest.mark.parametrize(
        ("forward", "host", "expected"),
        [
            ("http://127.0.0.1:4020/hooks", "127.0.0.1", True),
            ("http://LOCALHOST:4020", "127.0.0.1", True),
            ("http://localhost:4020", "::1", True),
            ("http://127.0.0.1:4020", "0.0.0.0", True),
            ("http://[::1]:4020", "::", True),
            ("http://0.0.0.0:4020", "0.0.0.0", True),
            ("http://192.0.2.1:4020", "192.0.2.1", True),
            ("http://127.0.0.1:4021", "127.0.0.1", False),
            ("http://127.0.0.2:4020", "127.0.0.1", False),
            ("http://[::1]:4020", "127.0.0.1", False),
            ("http://192.0.2.2:4020", "0.0.0.0", False),
            ("http://localhost:4020", "192.0.2.1", False),
        ],
    )
    def test_a_target_may_be_the_listener_itself(self, forward: str, host: str, expected: bool) -> None:
        assert is_at(base_of(forward), host, 4020) is expected

    def test_another_machine(self) -> None:
        with pytest.raises(RemoteTarget):
            base_of("http://example.com/", allow_remote=False)
        assert base_of("http://[::1]:8000/x", allow_remote=False).authority == "[::1]:8000"
        assert base_of("https://h:443/").authority == "h"

    def test_the_url_that_was_called(self) -> None:
        def url(*headers: tuple[str, str], public: str | None = None, path: str = "/p") -> str:
            head = RequestHead("POST", path, headers, 0)
            return called_url(head, None if public is None else base_of(public))

        assert url(("Host", "me:1")) == "http://me:1/p"
        assert (
            url(("Host", "localhost:4020"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "me"))
            == "https://me/p"
        )
        assert url(("Host", "a/b")) == url() == ""
        assert url(("Host", "me"), public="https://you.example/hooks", path="/") == "https://you.example/hooks"
        assert url(("Host", "me"), public="https://you.example", path="/") == "https://you.example"

    def test_hops_and_lengths(self) -> None:
        head = RequestHead("POST", "/", (("A", "b"), ("TE", "x"), ("Connection", "a, host"), ("Host", "x")), CHUNKED)
        assert passed_on(head, base_of("http://h/"), 0) == (("Host", "h"), ("Content-Length", "0"))


class TestRecognising:
    def test_each_scheme_by_its_header(self) -> None:
        told = {name: provider_of([(scheme.header.upper(), "x")]) for name, scheme in schemes().items()}
        shared = {"lemonsqueezy": "unknown", "generic": "unknown", "polar": "standard-webhooks"}
        assert told == {name: shared.get(name, name) for name in schemes()}
        assert provider_of([("X-Signature", "x"), ("x-event-name", "order_created")]) == "lemonsqueezy"

    @pytest.mark.parametrize(
        ("headers", "body", "expected"),
        [
            ((), b'{"type":"invoice.paid"}', "invoice.paid"),
            ((), b'{"event_type":"transaction.completed"}', "transaction.completed"),
            ((), b'{"meta":{"event_name":"order_created"}}', "order_created"),
            ((("X-GitHub-Event", "push"),), b"{}", "push"),
            ((), b'{"event":{"type":"order.paid"}}', "order.paid"),
            ((), b'{"type":"../../etc/x y"}', "POST /h"),
            ((), b'{"type":7,"meta":[]}', "POST /h"),
            ((), b"[]", "POST /h"),
            ((), b"\xff", "POST /h"),
            ((), b"[" * 100_000, "POST /h"),
        ],
    )
    def test_titles(self, headers: tuple[tuple[str, str], ...], body: bytes, expected: str) -> None:
        assert title_of(headers, body, "POST", "/h?secret=1") == expected
        if expected != "POST /h":
            assert event_type({name.lower(): value for name, value in headers}, parsed(body)) == expected

    @given(st.integers(1, 10**6), st.text(min_size=1, max_size=200))
    def test_a_file_name_is_one_and_says_when(self, number: int, title: str) -> None:
        name = file_name(NOW, number, "stripe", title)
        assert re.fullmatch(r"20261121T183150\.123456Z-\d{4,7}-stripe(-[A-Za-z0-9._-]+)?\.json", name), name
        assert len(name) < 130
