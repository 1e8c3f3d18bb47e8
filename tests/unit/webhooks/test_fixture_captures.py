"""The captures under `fixtures/webhooks`: each is verified by its provider's scheme at the time when it came."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mock_server.engine.instants import SECOND
from mock_server.paths import FIXTURES
from mock_server.webhooks.captures import Capture, load_capture, written
from mock_server.webhooks.schemes import scheme_named, schemes
from mock_server.webhooks.schemes.protocol import Message, Rejected, Verified

FOLDER = FIXTURES / "webhooks"
FILES = sorted(path for path in FOLDER.glob("*/*.json") if path.parent.name != "stripe")  # those: `test_captures.py`
SECRETS = {
    provider: re.findall(r"`([^`]+)`", told)
    for provider, told in re.findall(
        r"^\| `([a-z-]+)` \| (.+?) \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
}


def verdict(capture: Capture, secrets: list[str], body: bytes | None = None, late: int = 0) -> Verified | Rejected:
    headers = {name.lower(): value for name, value in capture.headers}
    message = Message(capture.body if body is None else body, capture.url)
    return scheme_named(capture.provider).verify(message, headers, secrets, capture.received_at // SECOND + late)


@pytest.fixture(params=FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def capture(file: Path) -> Capture:
    return load_capture(file)


def test_every_scheme_but_the_configurable_one_has_a_capture_and_a_secret() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/*.json")} == schemes().keys() - {"generic"}
    assert SECRETS.keys() == schemes().keys() - {"generic"}
    assert len(FILES) >= 12
    assert len({path.parent.name for path in FILES}) >= 6


def test_it_is_written_as_we_write_captures_into_the_folder_of_its_provider(file: Path, capture: Capture) -> None:
    assert file.read_bytes() == written(capture)
    assert file.parent.name == capture.provider
    assert capture.method == "POST"


def test_each_secret_of_its_provider_that_signed_it_verifies_it(capture: Capture) -> None:
    secrets = SECRETS[capture.provider]
    first = verdict(capture, secrets)
    assert isinstance(first, Verified)
    assert first.secret == 0
    assert isinstance(verdict(capture, ["whsec_bm90IHRoaXMgb25l"]), Rejected)


def test_no_byte_of_it_can_change(capture: Capture) -> None:
    for at in range(0, len(capture.body), 1 + len(capture.body) // 64):
        body = bytearray(capture.body)
        body[at] ^= 1 + at % 255
        found = verdict(capture, SECRETS[capture.provider], bytes(body))
        assert isinstance(found, Rejected)
        assert found.reason == "mismatch"


def test_it_grows_old_where_the_scheme_signs_a_time(capture: Capture) -> None:
    tolerance = scheme_named(capture.provider).tolerance
    found = verdict(capture, SECRETS[capture.provider], late=tolerance + 10)
    assert isinstance(found, Rejected) == bool(tolerance)


def test_square_signs_the_url_and_not_the_path_that_arrived() -> None:
    capture = load_capture(FOLDER / "square" / "acme-02-subscription-updated.json")
    assert capture.url.endswith(f"{capture.path}/?shop=acme")
    headers = {name.lower(): value for name, value in capture.headers}
    for url, reason in ((f"https://doors.example{capture.path}", "mismatch"), ("", "missing_url")):
        found = scheme_named("square").verify(Message(capture.body, url), headers, SECRETS["square"], 0)
        assert isinstance(found, Rejected)
        assert found.reason == reason


def test_one_body_is_no_utf8() -> None:
    capture = load_capture(FOLDER / "standard-webhooks" / "acme-01-customer-updated-latin-1.json")
    with pytest.raises(UnicodeDecodeError):
        capture.body.decode()
    assert "Köln" in capture.body.decode("latin-1")


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("paddle/acme-03-subscription-past-due.json", 2),
        ("svix/acme-01-quota-reached.json", 2),
        ("standard-webhooks/globex-02-subscription-canceled-ed25519.json", 3),
    ],
)
def test_signatures_of_two_secrets_stand_in_one_header(path: str, number: int) -> None:
    """Each of them verifies it alone; of the Ed25519 one, both halves do."""
    capture = load_capture(FOLDER / path)
    told = SECRETS[capture.provider]
    assert len(told) == number
    for secret in told:
        assert isinstance(verdict(capture, [secret]), Verified)
    found = verdict(capture, ["whsec_AAAA", *told])
    assert isinstance(found, Verified)
    assert found.secret == 1
