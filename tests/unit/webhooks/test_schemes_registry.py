"""A provider is one file in the folder of schemes: nothing else has to be changed for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mock_server.webhooks import schemes as package
from mock_server.webhooks.schemes import UnknownScheme, scheme_named, schemes
from mock_server.webhooks.schemes.protocol import Message, Verified

NEW = '''"""Paystack: `x-paystack-signature: <hex>`, HMAC-SHA512 over the raw body."""

from .hmacs import Hmac

SCHEME = Hmac("paystack", "Paystack", "x-paystack-signature", digest="sha512")
'''


def test_a_new_file_is_a_new_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paystack.py").write_text(NEW, encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    try:
        found = package.schemes.__wrapped__()
        assert found.keys() - schemes().keys() == {"paystack"}
        ((name, value),) = found["paystack"].sign(Message(b"{}"), "sk_test", 0).headers
        assert len(value) == 128
        assert isinstance(found["paystack"].verify(Message(b"{}"), {name: value}, ["sk_test"], 0), Verified)
    finally:
        sys.modules.pop(f"{package.__name__}.paystack", None)
        vars(package).pop("paystack", None)


def test_they_stand_in_the_order_of_their_names_and_each_has_one_of_its_own() -> None:
    files = {path.name for path in Path(package.__file__).parent.glob("*.py")}
    assert list(schemes()) == sorted(schemes())
    assert len(schemes()) == len(files - {"__init__.py", "protocol.py", "hmacs.py", "keys.py"})
    assert len({scheme.title for scheme in schemes().values()}) == len(schemes())


def test_an_unknown_name_is_told_which_there_are() -> None:
    with pytest.raises(UnknownScheme, match=r"no signature scheme 'Stripe'; there are: billsh, commerce, .*, svix"):
        scheme_named("Stripe")


@pytest.mark.parametrize("name", schemes())
def test_it_says_what_it_is(name: str) -> None:
    scheme = scheme_named(name)
    assert scheme.name == name
    assert scheme.title
    assert scheme.uses <= {"time", "id", "url"}
    assert scheme.tolerance >= 0
    assert "time" in scheme.uses or scheme.tolerance == 0
    sent = scheme.sign(Message(b"{}", "https://a.example", "msg_1"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1)
    assert scheme.header in dict(sent.headers)
    assert {name for name, _ in sent.headers} <= set(scheme.headers)
    values = dict(sent.headers)
    assert scheme.time_header is None or values[scheme.time_header] == "1"
    assert scheme.id_header is None or values[scheme.id_header] == "msg_1"
    assert {scheme.header, *scheme.also} <= set(scheme.headers)
    for name in scheme.also:
        other = scheme.under([name])
        assert (other.header, other.also) == (name, (scheme.header,))
        assert set(other.headers) == set(scheme.headers)
    assert scheme.under([scheme.header, *scheme.also]) == scheme.under([]) == scheme
