"""The pages beside the API: `/` for people, `/<api>/openapi.json` for machines, `/<api>/docs` for both."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Scope

import mock_server
from mock_server.store.worlds import World

from .addressing import CONTROL, Address, base_url, origin_of
from .answers import Answer
from .mock import DEFAULT_WORLD, Mock, Served

_ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_HTML = "text/html; charset=utf-8"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1b1f; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; } pre code { background: none; } div { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; } td, th { text-align: left; padding: .2rem 1.2rem .2rem 0; }
code { background: #f0f0f4; padding: .1rem .3rem; border-radius: 3px; } h2 { margin-top: 2rem; }
@media (prefers-color-scheme: dark) { body { background: #16161a; color: #e8e8ee; } code { background: #2a2a31; }
  a { color: #8ab4ff; } }
"""


def find(mock: Mock, address: Address, scope: Scope, headers: Headers) -> Answer | None:
    """The page at an address, if there is one, as GET would show it. Pages do not belong to a world."""
    rest = address.rest
    if len(rest) > 2 or (rest[0] not in ("", "openapi.json", "docs") or (rest[0] and not address.names_api)):
        return None
    served = mock.control if address.api == "control" else mock.served[address.api]
    return _page(mock, served, address, scope, headers)


def _page(mock: Mock, served: Served, address: Address, scope: Scope, headers: Headers) -> Answer | None:
    rest = address.rest
    if rest == [""]:
        if address.api == "control":
            return None
        return _answer(_HTML, _home(mock, origin_of(scope, headers, mock.options.public_url)).encode())
    if rest == ["openapi.json"]:
        answer = _answer("application/json", served.bundle_bytes)
        if address.api != "control":
            answer.add("access-control-allow-origin", "*")
        return answer
    if rest == ["docs"]:
        return _answer(_HTML, _docs(served).encode())
    if rest[0] == "docs" and len(rest) == 2 and rest[1] in _ASSETS:
        return _answer(_ASSETS[rest[1]], _asset(rest[1]))
    return None


def of_api(mock: Mock, address: Address, scope: Scope, headers: Headers, world: World) -> Answer | None:
    """A page that a link of the API leads to, such as a hosted checkout."""
    api = mock.served[address.api].api
    page = api.pages.get(address.rest[0]) if len(address.rest) == 2 else None
    if page is None or scope["method"] not in ("GET", "HEAD"):
        return None
    now, state = mock.now_in(world), world.state
    query, context = dict(parse_qsl(scope["query_string"].decode("latin-1"))), state.context(now)
    start = base_url(mock, scope, headers, address, world.name)
    inner = page(state.apis[api.name], context, address.rest[1], query, start)
    return None if inner is None else _answer(_HTML, _document(api.title, inner).encode("utf-8", "replace"))


def _document(title: str, inner: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>
{inner}</body></html>"""


def _answer(media_type: str, body: bytes) -> Answer:
    return Answer(
        200,
        [
            (b"content-type", media_type.encode()),
            (b"cache-control", b"no-cache"),
            (b"x-content-type-options", b"nosniff"),
        ],
        body,
    )


@cache
def _asset(name: str) -> bytes:
    root = Path(str(files("swagger_ui_bundle")))
    return next(root.rglob(name)).read_bytes()


def _docs(served: Served) -> str:
    title = html.escape(f"{served.api.title}: API reference")
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="docs/favicon-32x32.png"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script>
<script>
// The page may be reached under any mount; requests go to the same one.
const mount = location.pathname.replace(/\\/docs$/, "");
fetch("openapi.json").then(r => r.json()).then(spec => {{
  spec.servers = spec.servers.map(s => ({{...s, url: mount.endsWith("/_mock") ? s.url : mount + s.url}}));
  SwaggerUIBundle({{spec, dom_id: "#ui", deepLinking: true}});
}});
</script></body></html>"""


def _home(mock: Mock, origin: str) -> str:
    sections = [_api_section(mock, served, origin) for served in mock.served.values()]
    worlds = "".join(
        f"<tr><td><code>{html.escape(world.name)}</code></td><td>{html.escape(world.scenario)}</td>"
        f"<td>{html.escape(f'{origin}/w/{world.name}')}</td></tr>"
        for world in list(mock.worlds)[:50]
    )
    more = f"<p>and {len(mock.worlds) - 50} more</p>" if len(mock.worlds) > 50 else ""
    table = f"<table><tr><th>name</th><th>scenario</th><th>prefix</th></tr>{worlds}</table>{more}"
    return _document(
        "mockbill",
        f"""<h1>mockbill {mock_server.__version__}</h1>
<p>A stateful billing backend for tests. Nothing here is real, and nothing here is billed.</p>
{"".join(sections)}
<h2>Worlds</h2>{table if _is_private(mock) else _ASK_THERE}
<p>Control API: <a href="/{CONTROL}/docs">reference</a>, <a href="/{CONTROL}/openapi.json">openapi.json</a>,
<a href="/{CONTROL}/health">health</a>.</p>""",
    )


_ASK_THERE = "<p>Other machines can see this page, so the control API lists them, to whoever has its token.</p>"


def _is_private(mock: Mock) -> bool:
    """Whether only this machine can see the pages."""
    return mock.options.control_token is None


def _api_section(mock: Mock, served: Served, origin: str) -> str:
    api = served.api
    world, is_private = mock.worlds.get(DEFAULT_WORLD), _is_private(mock)
    rows = "".join(
        f"<tr><td>{html.escape(credential.name)}</td><td><code>{html.escape(credential.secret)}</code></td>"
        f"<td><code>{html.escape(credential.org or '')}</code></td>"
        f"<td><code>{html.escape(api.token_form(origin, credential.secret))}</code></td></tr>"
        for credential in (api.credentials(world.state.apis[api.name]) if world and is_private else ())
        if not credential.revoked
    )
    base = html.escape(f"{origin}/{api.name}{api.base_paths[0]}")
    table = f"""<div><table><tr><th>credential of world demo</th><th>secret</th><th>organization</th>
<th>as the client library wants it</th></tr>{rows}</table></div>"""
    return f"""<h2>{html.escape(api.title)}</h2><p>Base URL <code>{base}</code>;
<a href="/{api.name}/docs">reference</a>, <a href="/{api.name}/openapi.json">openapi.json</a>.</p>
{table if is_private else ""}"""
