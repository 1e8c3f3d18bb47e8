"""Requests go out byte for byte, once, to this machine; whatever the receiver does comes to an end with a name."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from mock_server.webhooks.drafts import Request
from mock_server.webhooks.exchanges import LARGEST_HEAD, LARGEST_KEPT, Exchange
from mock_server.webhooks.outgoing import Answer, InvalidRequest, NoAnswer, Outgoing, parted, with_framing
from mock_server.webhooks.sending import Sender
from mock_server.webhooks.targets import InvalidTarget, RemoteTarget

from .raw_receiver import OK, Receiver, certificate, one, reset, usual

TOKEN = "!#$%&'*+.^_`|~0123456789ABCxyz-"
NAMES = st.text(TOKEN, min_size=1, max_size=20)
VALUES = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60)
FRAMING = ("content-length", "transfer-encoding", "connection", "expect", "upgrade")
HEADERS = st.lists(st.tuples(NAMES, VALUES).filter(lambda each: each[0].lower() not in FRAMING), max_size=12)
TARGETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters=map(chr, range(0x7F, 0x80))), max_size=60
)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def sent(outgoing: Outgoing, timeout: float = 5.0) -> Answer | NoAnswer:
    return all_sent([outgoing], timeout)[0]


def all_sent(
    many: list[Outgoing], timeout: float = 5.0, clock: Callable[[], float] | None = None
) -> list[Answer | NoAnswer]:
    """One after the other by one sender."""

    async def run() -> list[Answer | NoAnswer]:
        async with Sender(timeout, **({} if clock is None else {"clock": clock})) as sender:
            return [await sender.send(each) for each in many]

    return asyncio.run(run())


def post(url: str, body: bytes = b"{}", method: str = "POST", cut: int | None = None) -> Outgoing:
    outgoing = with_framing(Request(method, url, (), body))
    return Outgoing(outgoing.method, outgoing.url, outgoing.headers, outgoing.body, cut)


def answered(answer: bytes, method: str = "POST") -> Answer | NoAnswer:
    """What is read of an answer after which the receiver closes."""

    def behave(connection: socket.socket, _: Receiver) -> None:
        one(connection)
        connection.sendall(answer)

    with Receiver(behave=behave) as receiver:
        return sent(post(receiver.url, method=method))


# -- what goes out ----------------------------------------------------------------------------------------------------


@given(st.text(TOKEN, min_size=1, max_size=10), TARGETS, HEADERS, st.integers(0, 12), st.binary(max_size=3000))
@example("POST", "?a=%0d%0a&b", [("x-Y", ""), ("X-y", " two  "), ("x-Y", "\xe9\t\x01")], 1, b"\r\n\r\n\x00\xff")
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_arrives_is_what_was_given_byte_for_byte(
    receiver: Receiver, method: str, target: str, headers: list[tuple[str, str]], place: int, body: bytes
) -> None:
    assume(method != "HEAD")
    headers.insert(min(place, len(headers)), ("content-LENGTH", str(len(body))))
    receiver.requests.clear()
    answer = sent(Outgoing(method, f"{receiver.url}/{target}", tuple(headers), body))
    lines = [f"{method} /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    assert receiver.requests == ["\r\n".join([*lines, "", ""]).encode("latin-1") + body]
    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers, answer.body) == (200, (("Content-Length", "2"),), b"ok")


@given(NAMES, VALUES, st.sampled_from("\r\n\0\u0100\u2028\ud800"), st.integers(0, 80), st.booleans())
def test_no_header_ends_its_line_early(name: str, value: str, bad: str, place: int, in_name: bool) -> None:
    text = name if in_name else value
    text = text[:place] + bad + text[place:]
    header = (text, value) if in_name else (name, text)
    with pytest.raises(InvalidRequest):
        sent(Outgoing("POST", "http://127.0.0.1:9/", (header,), b""))


@pytest.mark.parametrize("method", ["", "PO ST", "POST\r\n", "G\xc9T"])
def test_a_method_is_a_word(method: str) -> None:
    with pytest.raises(InvalidRequest):
        sent(Outgoing(method, "http://127.0.0.1:9/", (), b""))


def test_a_body_of_10_mib_arrives(receiver: Receiver) -> None:
    body = bytes(range(256)) * (10 * 4096)
    receiver.requests.clear()
    assert isinstance(sent(post(receiver.url, body)), Answer)
    assert receiver.requests[0].endswith(b"\r\n\r\n" + body)


def test_framing_puts_host_first_and_the_length_last_where_they_lack() -> None:
    plain = with_framing(Request("POST", "http://localhost:8000/x", (("A", "b"),), b"12"))
    assert plain.headers == (("Host", "localhost:8000"), ("A", "b"), ("Content-Length", "2"))
    own = (("content-length", "9"), ("hOST", "me"))
    assert with_framing(Request("POST", "http://localhost/", own, b"")).headers == own
    chunked = with_framing(Request("POST", "https://[::1]:443/", (("Transfer-Encoding", "chunked"),), b"abc"))
    assert chunked.headers == (("Host", "[::1]"), ("Transfer-Encoding", "chunked"))
    assert chunked.body == b"3\r\nabc\r\n0\r\n\r\n"


def test_a_cut_body_ends_with_the_connection() -> None:
    got: list[bytes] = []

    def behave(connection: socket.socket, receiver: Receiver) -> None:
        while data := connection.recv(65_536):
            got.append(data)
        receiver.closed.set()

    with Receiver(behave=behave) as receiver:
        answer = sent(post(receiver.url, b"0123456789", cut=4))
        receiver.closed.wait(5)
    assert b"".join(got).endswith(b"Content-Length: 10\r\n\r\n0123")
    assert isinstance(answer, NoAnswer)
    assert answer.reason == "closed"


# -- to whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "0.0.0.0", "[2001:db8::1]", "[::ffff:192.0.2.1]", "[::ffff:127.0.0.1]", "169.254.169.254"]
)
def test_other_machines_are_refused(host: str) -> None:
    with pytest.raises(RemoteTarget):
        sent(post(f"http://{host}:9/"))


def test_a_name_is_asked_for_once_and_every_address_of_it_has_to_be_here(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    found = {"both.test": ["127.0.0.1", "192.0.2.1"], "here.test": ["127.0.0.1"]}

    def resolve(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        # Whoever asks again is led away.
        addresses = found[host] if asked.count(host) == 1 else ["192.0.2.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RemoteTarget):
        sent(post("http://both.test:9/"))
    with Receiver(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as receiver:
        answers = all_sent([post(f"http://here.test:{receiver.port}/")] * 3)
        assert [each.status for each in answers if isinstance(each, Answer)] == [200] * 3
        assert receiver.connections == 3
    assert asked == ["both.test", "here.test"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:80",
        "ftp://localhost/",
        "http://",
        "http:///x",
        "http://localhost:0/",
        "http://localhost:99999/",
        "http://localhost:x/",
        "http://me:secret@localhost/",
        "http://localhost/a b",
        "http://localhost/\r\nX: y",
        "http://localhost/\u2028",
        "http://[::1/",
        "http://local\nhost/",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidTarget):
        sent(Outgoing("POST", url, (), b""))


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(sent(post(receiver.url)), Answer)


def test_redirects_are_answers(receiver: Receiver) -> None:
    moved = f"HTTP/1.1 307 X\r\nLocation: {receiver.url}/other\r\nContent-Length: 0\r\n\r\n".encode()
    receiver.requests.clear()
    with Receiver(moved) as other:
        answer = sent(post(other.url))
    assert isinstance(answer, Answer)
    assert (answer.status, receiver.requests) == (307, [])


def test_the_authority_is_as_a_host_header_has_it() -> None:
    assert parted("HTTP://LocalHost?x=1") == (parted("http://localhost:80/")[0], "/?x=1")
    assert parted("http://localhost:80/")[0].authority == "localhost"
    assert parted("https://localhost:80")[0].authority == "localhost:80"
    assert parted("https://[::1]/")[0].authority == "[::1]"


# -- answers ----------------------------------------------------------------------------------------------------------

WHOLE = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc"),
    "chunks": (
        b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n1;e=1\r\na\r\n2\r\nbc\r\n0\r\nT: x\r\n\r\n",
        201,
        b"abc",
    ),
    "until close": (b"HTTP/1.1 500 Internal Server Error\r\n\r\nabc", 500, b"abc"),
    "1.0": (b"HTTP/1.0 200 OK\r\n\r\nabc", 200, b"abc"),
    "interim": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 1\r\n\r\nx",
        202,
        b"x",
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "not modified": (b"HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "switching": (b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n\x00\x01", 101, b""),
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_each_way_of_ending_an_answer(answer: tuple[bytes, int, bytes]) -> None:
    raw, status, body = answer
    found = answered(raw)
    assert isinstance(found, Answer), found
    assert (found.status, found.body) == (status, body)
    assert all(name != "Link" for name, _ in found.headers)


def test_an_answer_to_head_has_no_body() -> None:
    with Receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") as receiver:
        found = all_sent([post(receiver.url, b"", "HEAD")] * 2)
        assert [each.status for each in found if isinstance(each, Answer)] == [200, 200]
        assert receiver.connections == 1


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.integers(0, 200), max_size=20))
def test_however_an_answer_is_cut_up_the_same_is_read(which: str, cuts: list[int]) -> None:
    raw, status, body = WHOLE[which]
    found = read("POST", [raw[a:b] for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), len(raw)], strict=True)])
    assert (found.complaint, found.status, bytes(found.body)) == (None, status, body)


@given(st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", *(raw for raw, _, _ in WHOLE.values())]), st.binary(max_size=200))
def test_whatever_comes_ends_with_an_answer_or_a_complaint(begin: bytes, rest: bytes) -> None:
    found = read("POST", [begin, rest])
    assert found.is_done
    assert (found.complaint is None) == (found.status > 0) or found.complaint is not None


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_half_an_answer_is_none(which: str, data: st.DataObject) -> None:
    raw, _, _ = WHOLE[which]
    head = raw.rindex(b"\r\n\r\n") + 4 if which == "interim" else raw.index(b"\r\n\r\n") + 4
    found = read("POST", [raw[: data.draw(st.integers(0, head - 1))]])
    assert found.complaint is not None
    assert found.complaint[0] == "closed"


def read(method: str, parts: list[bytes]) -> Exchange:
    loop = asyncio.new_event_loop()
    try:
        exchange = Exchange(method, loop.create_future())
        for part in parts:
            exchange.feed(part)
        exchange.ended(None)
        return exchange
    finally:
        loop.close()


def test_of_a_long_answer_the_beginning_is_kept() -> None:
    found = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000)
    assert isinstance(found, Answer)
    assert found.body == b"x" * LARGEST_KEPT


def test_an_answer_without_an_end_is_not_read_for_ever() -> None:
    def behave(connection: socket.socket, _: Receiver) -> None:
        one(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 2**20)

    with Receiver(behave=behave) as receiver:
        found = sent(post(receiver.url))
    assert isinstance(found, Answer)
    assert len(found.body) == LARGEST_KEPT


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 xyz OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * LARGEST_HEAD,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (2 * LARGEST_HEAD),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
    ],
    ids=range(8),
)
def test_garbage_is_called_malformed(raw: bytes) -> None:
    found = answered(raw)
    assert isinstance(found, NoAnswer), found
    assert found.reason == "malformed"


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTT", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=range(4),
)
def test_an_end_before_the_answer_is_called_closed(raw: bytes) -> None:
    found = answered(raw)
    assert isinstance(found, NoAnswer)
    assert found.reason == "closed"


def test_a_receiver_that_resets_hangs_or_is_not_there() -> None:
    def resets(connection: socket.socket, _: Receiver) -> None:
        one(connection)
        reset(connection)

    def hangs(connection: socket.socket, _: Receiver) -> None:
        while connection.recv(65_536):
            pass

    with Receiver(behave=resets) as receiver:
        assert reason(sent(post(receiver.url))) == "closed"
    with Receiver(behave=hangs) as receiver:
        gone = receiver.url
        assert reason(sent(post(receiver.url), timeout=0.05)) == "timeout"
    assert reason(sent(post(gone))) == "refused"
    assert reason(sent(post("http://no-such-name.invalid:9/"))) == "unresolvable"


def reason(found: Answer | NoAnswer) -> str:
    assert isinstance(found, NoAnswer), found
    assert "127.0.0.1', " not in found.explanation
    return found.reason


def test_who_answers_before_reading_is_heard() -> None:
    answer = b"HTTP/1.1 413 X\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong"

    def behave(connection: socket.socket, _: Receiver) -> None:
        connection.sendall(answer)

    for body in (b"{}", b"x" * (8 * 2**20)):
        with Receiver(behave=behave) as receiver:
            found = sent(post(receiver.url, body))
        assert isinstance(found, Answer), (len(body), found)
        assert (found.status, found.body) == (413, b"long")


def test_who_accepts_before_reading_still_gets_the_whole_body() -> None:
    body = b"x" * (8 * 2**20)
    got: list[bytes] = []

    def behave(connection: socket.socket, receiver: Receiver) -> None:
        connection.recv(1)
        connection.sendall(OK)
        while data := connection.recv(2**20):
            got.append(data)
        receiver.closed.set()

    with Receiver(behave=behave) as receiver:
        assert isinstance(sent(post(receiver.url, body)), Answer)
        receiver.closed.wait(5)
    assert sum(map(len, got)) > len(body)


# -- connections ------------------------------------------------------------------------------------------------------


def test_a_connection_is_kept(receiver: Receiver) -> None:
    before = receiver.connections
    all_sent([post(receiver.url)] * 20)
    assert receiver.connections == before + 1


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        OK.replace(b"1.1", b"1.0"),
        OK + b"HTTP/1.1 200 and more that nobody asked for",
    ],
    ids=["close", "1.0", "more"],
)
def test_a_connection_is_not_kept_where_that_is_not_safe(answer: bytes) -> None:
    with Receiver(answer) as receiver:
        found = all_sent([post(receiver.url)] * 3)
        assert [each.status for each in found if isinstance(each, Answer)] == [200] * 3
        assert (len(receiver.requests), receiver.connections) == (3, 3)


def test_a_connection_that_was_idle_for_long_is_not_trusted(receiver: Receiver) -> None:
    before = receiver.connections
    times = iter(range(0, 1000, 2))
    all_sent([post(receiver.url)] * 3, clock=lambda: float(next(times)))
    assert receiver.connections == before + 3


def test_a_request_is_never_sent_twice() -> None:
    """A receiver that closes without a word gets each once; one that closes between two requests loses none."""

    def silent(connection: socket.socket, receiver: Receiver) -> None:
        usual_once(connection, receiver, answer=b"")

    def once(connection: socket.socket, receiver: Receiver) -> None:
        usual_once(connection, receiver, answer=OK)

    with Receiver(behave=silent) as receiver:
        found = all_sent([post(receiver.url, b"%d" % number) for number in range(5)])
        assert [reason(each) for each in found] == ["closed"] * 5
        assert [each[-1:] for each in receiver.requests] == [b"0", b"1", b"2", b"3", b"4"]
    with Receiver(behave=once) as receiver:

        async def run() -> list[Answer | NoAnswer]:
            found = []
            async with Sender(5.0) as sender:
                for number in range(5):
                    found.append(await sender.send(post(receiver.url, b"%d" % number)))
                    # The receiver has closed, and the event loop has not been asked since.
                    receiver.closed.wait(5)
                    receiver.closed.clear()
            return found

        assert all(isinstance(each, Answer) for each in asyncio.run(run()))
        assert len(receiver.requests) == 5


def usual_once(connection: socket.socket, receiver: Receiver, answer: bytes) -> None:
    found = one(connection)
    assert found is not None
    receiver.requests.append(found[0])
    connection.sendall(answer)
    connection.close()
    receiver.closed.set()


def test_no_more_connections_at_a_time_than_said() -> None:
    with Receiver() as receiver:

        async def run() -> None:
            async with Sender(5.0, per_target=3) as sender:
                await asyncio.gather(*(sender.send(post(receiver.url)) for _ in range(50)))

        asyncio.run(run())
        assert len(receiver.requests) == 50
        assert receiver.connections <= 3


def test_a_send_that_is_given_up_leaves_nothing_open() -> None:
    with Receiver(behave=lambda connection, _: connection.recv(1) and connection.recv(2**20) and None) as receiver:

        async def run() -> None:
            async with Sender(5.0) as sender:
                task = asyncio.create_task(sender.send(post(receiver.url)))
                while not receiver.connections:
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(run())


# -- TLS --------------------------------------------------------------------------------------------------------------


def test_https_to_this_machine_takes_any_certificate(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path / "both.pem"))

    def behave(connection: socket.socket, receiver: Receiver) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            usual(secure, receiver)

    with Receiver(behave=behave) as receiver:
        found = all_sent([post(f"https://localhost:{receiver.port}/x", b"x" * 100_000)] * 3)
        assert [each.status for each in found if isinstance(each, Answer)] == [200] * 3
        assert receiver.requests[0].startswith(b"POST /x HTTP/1.1\r\nHost: localhost:")
        assert receiver.connections == 1
    with Receiver() as receiver:
        assert reason(sent(post(f"https://localhost:{receiver.port}/"), timeout=0.2)) in ("refused", "timeout")
