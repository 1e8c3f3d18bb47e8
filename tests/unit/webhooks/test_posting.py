"""Bytes on a real socket: what httpx makes of a request of ours, and what we make of whatever comes back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mock_server.webhooks import posting
from mock_server.webhooks.drafts import Request
from mock_server.webhooks.posting import LONGEST_ANSWER, Answered, HttpPost, Unanswered

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LIMIT = 20.0

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listening:
    """A raw receiver. `heard` are the requests as they came, `connections` how often somebody connected."""

    def __init__(self, answer: bytes | None = OK, then_close: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.answer, self.then_close, self.tls = answer, then_close, tls
        self.heard: list[bytes] = []
        self.connections = self.closed = 0
        self.at_once = self.most_at_once = 0

    async def __aenter__(self) -> Listening:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/hooks"
        self.tasks: set[asyncio.Task[Any]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                self.heard.append(head + await reader.readexactly(length))
                if self.answer is None:
                    await asyncio.Event().wait()
                else:
                    writer.write(self.answer)
                    if self.then_close:
                        return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self.closed += 1
        finally:
            self.tasks.discard(task)
            writer.close()


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(LIMIT):
            return await coroutine

    return asyncio.run(limited())


def request(url: str, body: bytes = b"{}", *headers: tuple[str, str]) -> Request:
    return Request("POST", url, headers or (("Content-Type", "application/json"), ("X-Signature", "abc")), body)


async def posted(listening: Listening, timeout_s: float = 5.0, **more: Any) -> Answered | Unanswered:
    post = HttpPost()
    async with listening:
        try:
            return await post(request(listening.url, **more), timeout_s)
        finally:
            await post.close()


def test_nothing_is_added_but_host_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    listening = Listening()
    body = '{"h\u00e9": "\u0000"}\n'.encode()
    assert run(posted(listening, body=body)) == Answered(200, {"content-length": "2"}, "ok")
    (heard,) = listening.heard
    host = listening.url.split("/")[2]
    head, _, came = heard.partition(b"\r\n\r\n")
    assert came == body
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hooks HTTP/1.1"
    assert sorted(lines[1:]) == sorted(
        [f"Host: {host}", f"Content-Length: {len(body)}", "Content-Type: application/json", "X-Signature: abc"]
    )
    assert lines.index("Content-Type: application/json") < lines.index("X-Signature: abc")


def test_a_connection_is_used_again_and_closed_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "KEPT_S", 0.05)

    async def play() -> Listening:
        async with Listening(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n") as listening:
            post = HttpPost()
            for _ in range(5):
                assert isinstance(await post(request(listening.url), 5), Answered)
            assert listening.connections == 1
            while not listening.closed:
                await asyncio.sleep(0.01)
            assert isinstance(await post(request(listening.url), 5), Answered)
            assert listening.connections == 2
            await post.close()
        return listening

    listening = run(play())
    assert not any(b"ookie" in each for each in listening.heard), "what a receiver wants remembered is forgotten"


def test_a_receiver_that_closes_after_each_answer_gets_each_once() -> None:
    async def play() -> Listening:
        async with Listening(OK, then_close=True) as listening:
            post = HttpPost()
            for _ in range(10):
                assert isinstance(await post(request(listening.url), 5), Answered)
                await asyncio.sleep(0.002)
            await post.close()
        return listening

    listening = run(play())
    assert len(listening.heard) == listening.connections == 10


@pytest.mark.parametrize("status", [204, 301, 304, 307, 400, 503, 599, 999])
def test_every_status_is_an_answer(status: int) -> None:
    rest = b"" if status in (204, 304) else b"Content-Length: 3\r\n"
    body = b"" if status in (204, 304) else b"abc"
    answer = b"HTTP/1.1 %d X\r\nLocation: /elsewhere\r\nRetry-After: 7\r\n%s\r\n%s" % (status, rest, body)
    listening = Listening(answer)
    came = run(posted(listening))
    assert isinstance(came, Answered)
    assert (came.status, came.headers["retry-after"], came.body) == (status, "7", body.decode())
    assert len(listening.heard) == 1, "no redirect was followed"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n\0: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH_9\r\n",
    ],
)
def test_what_is_no_answer_is_told_as_none(answer: bytes) -> None:
    came = run(posted(Listening(answer, then_close=True)))
    assert isinstance(came, Unanswered)
    assert came.reason.startswith("the connection failed: ")
    assert len(came.reason) < 300


@pytest.mark.parametrize(
    "answer",
    [None, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 2"],
)
def test_a_receiver_that_hangs_is_given_up_in_time(answer: bytes | None) -> None:
    assert run(posted(Listening(answer), timeout_s=0.05)) == Unanswered("no answer within 0.05 s")


def test_a_flood_is_not_read_to_its_end() -> None:
    listening = Listening(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"\xff" * (LONGEST_ANSWER * 2))
    came = run(posted(listening))
    assert isinstance(came, Answered)
    assert len(came.body) == LONGEST_ANSWER
    assert came.body[0] == "\ufffd"


def test_nobody_there() -> None:
    async def play() -> Answered | Unanswered:
        async with Listening() as listening:
            url = listening.url
        return await HttpPost()(request(url), 5)

    came = run(play())
    assert isinstance(came, Unanswered)
    assert came.reason.startswith("cannot connect: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://", "http://[::1", "nothing", "ftp://127.0.0.1/"])
def test_what_is_no_url_is_no_answer(url: str) -> None:
    assert isinstance(run(HttpPost()(request(url), 1)), Unanswered)


@pytest.mark.parametrize(
    "header",
    [("X-A", "a\r\nX-B: b"), ("X-A", "a\nb"), ("X-A\r\nX-B", "a"), ("X A", "a"), ("X-A", "\u20ac"), ("X-A", "a\0b")],
)
def test_no_header_smuggles_another_one_in(header: tuple[str, str]) -> None:
    listening = Listening()

    async def play() -> Answered | Unanswered:
        post = HttpPost()
        async with listening:
            try:
                return await post(request(listening.url, b"{}", header), 5)
            finally:
                await post.close()

    came = run(play())
    assert isinstance(came, Unanswered)
    assert listening.heard == []


def test_those_who_hang_do_not_keep_others_waiting_and_cancelling_them_breaks_nothing() -> None:
    async def play() -> tuple[Listening, Listening]:
        async with Listening(None) as hangs, Listening() as answers:
            post = HttpPost()
            waiting = [asyncio.ensure_future(post(request(hangs.url), 30)) for _ in range(100)]
            while len(hangs.heard) < 100:
                await asyncio.sleep(0.01)
            for _ in range(3):
                came = await asyncio.gather(*(post(request(answers.url), 5) for _ in range(30)))
                assert {type(each) for each in came} == {Answered}
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            hangs.answer = OK
            came = await asyncio.gather(*(post(request(hangs.url), 5) for _ in range(30)))
            assert {type(each) for each in came} == {Answered}
            await post.close()
            return hangs, answers

    hangs, answers = run(play())
    assert len(answers.heard) == 90
    assert answers.connections <= 60
    assert len(hangs.heard) == 130


def test_another_event_loop_begins_anew() -> None:
    post = HttpPost()

    async def play() -> Listening:
        async with Listening() as listening:
            for _ in range(2):
                assert isinstance(await post(request(listening.url), 5), Answered)
            await post.close()
        return listening

    assert run(play()).connections == run(play()).connections == 1


def test_who_has_to_wait_for_room_loses_no_time_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MOST_CONNECTIONS", 2)

    async def play() -> Listening:
        async with Listening(None) as hangs, Listening() as answers:
            post = HttpPost()
            came = await asyncio.gather(
                *(post(request(hangs.url), 0.1) for _ in range(4)), *(post(request(answers.url), 0.1) for _ in range(4))
            )
            assert [type(each) for each in came] == [Unanswered] * 4 + [Answered] * 4
            await post.close()
        return answers

    assert len(run(play()).heard) == 4


def test_a_certificate_of_this_machine_need_not_be_anybodys(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    unencrypted = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    (tmp_path / "both.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")

    async def play() -> list[Answered | Unanswered]:
        async with Listening(tls=context) as listening:
            post = HttpPost()
            found = [await post(request(listening.url), 5)]
            # The same machine by a name that is not known to be it.
            monkey = pytest.MonkeyPatch()
            monkey.setattr(posting, "is_this_machine", lambda host: False)
            found.append(await HttpPost()(request(listening.url), 5))
            monkey.undo()
            await post.close()
            return found

    here, elsewhere = run(play())
    assert here == Answered(200, {"content-length": "2"}, "ok")
    assert isinstance(elsewhere, Unanswered)
    assert "certificate" in elsewhere.reason
