"""A target without a `contract.toml`: a mockbill says itself what is needed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from .config import given_url, known_api
from .http import Allowance, Answer, Client, Headers, NoAnswer, Request
from .scenario import with_what_worlds_have
from .target import ControlPort, Ports, Target, TargetError

PATIENCE = 5.0
SECONDS = 20.0


class Unreachable(Exception):
    """Nothing answers, or what answers is not the API; the message says what was tried and what came."""


class Mockbill(msgspec.Struct, frozen=True):
    """A mockbill that answers. `base_paths`: under which of its paths the API is, the plainest first."""

    origin: str
    base_paths: tuple[str, ...]

    def path_of(self, url: str) -> str:
        """The API's base path that a URL means: its own, or the plainest if it has none. Raises TargetError."""
        path = urlsplit(url).path.rstrip("/") or self.base_paths[0]
        if path not in self.base_paths:
            known = " or ".join(self.origin + each for each in self.base_paths)
            raise TargetError(f"--url: the mockbill there serves this API under {known}")
        return path


def target_at(url: str, api: str = "openapp", token: str | None = None, patience: float = PATIENCE) -> Target:
    """A mockbill at a URL, its origin or the API's base URL, as a target with all ports. Raises TargetError, Unreachable."""
    url, api = given_url(url), known_api(api)
    found = mockbill_at(url, api, token, patience)
    if found is None:
        raise TargetError(
            f"what answers at {url} is no mockbill, so a contract.toml has to say who may call it and what may be done "
            f"to it. Write one with: mockbill contract init --url {url}"
        )
    control = ControlPort(found.origin, token=token)
    target = Target(found.origin + found.path_of(url), api, may="full", ports=Ports(control))
    return with_what_worlds_have(target, control)


def mockbill_at(url: str, api: str, token: str | None = None, patience: float = PATIENCE) -> Mockbill | None:
    """The mockbill that a URL leads to; None if what answers is none. Raises TargetError, Unreachable."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    headers: Headers = () if token is None else (("Authorization", f"Bearer {token}"),)
    answer = asked(origin, Request("GET", "/_mock/health", headers), patience)
    if answer.status == 401:
        reason = "is not the right one" if token else "is needed: give what `mockbill serve` printed as --token"
        raise TargetError(f"the control token of the mockbill at {origin} {reason}")
    apis = _apis(answer)
    if apis is None:
        return None
    if api not in apis:
        raise TargetError(f"the mockbill at {origin} does not serve {api}, only: {', '.join(apis) or 'nothing'}")
    path, is_root = apis[api]
    short = path.removeprefix(f"/{api}")
    return Mockbill(origin, (short, path) if is_root else (path,))


def asked(origin: str, request: Request, patience: float = PATIENCE) -> Answer:
    """One answer, in bounded time. Raises Unreachable, which says what was tried."""
    from .explaining import why_not

    client = Client(origin, Allowance(10, None, SECONDS), patience)
    try:
        return client.send(request)
    except NoAnswer as error:
        raise Unreachable(why_not(f"{request.method} {origin}{request.target}", str(error), patience)) from None
    finally:
        client.close()


def _apis(answer: Answer) -> dict[str, tuple[str, bool]] | None:
    """The path and the rank of each API that a health report names; None if it is none."""
    health: Any = answer.json if answer.status == 200 else None
    if not isinstance(health, dict) or not isinstance(health.get("apis"), list) or "contract_breaches" not in health:
        return None
    found = {}
    for each in health["apis"]:
        if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("base_url"), str):
            found[each["name"]] = (urlsplit(each["base_url"]).path.rstrip("/"), each.get("is_root") is True)
    return found
