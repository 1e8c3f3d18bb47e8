"""What requests for resources have in common: the organization in question, and the page of a list."""

from __future__ import annotations

from mock_server.apis.openapp.model.paging import Page
from mock_server.http.exchange import Call


def x_org(call: Call) -> str | None:
    return call.headers.get("x-org")


def page(call: Call, *filters: str) -> Page:
    query = call.query
    return Page(
        limit=query.get("limit", 50),
        offset=query.get("offset", 0),
        include_deleted=query.get("include_deleted", False),
        only_deleted=query.get("only_deleted", False),
        equal=tuple((name, query[name]) for name in filters if name in query),
    )
