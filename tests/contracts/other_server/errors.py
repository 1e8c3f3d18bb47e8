"""Refusals: what goes wrong in an orderly way."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message[:2000]
        self.details = details
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "message": self.message,
            "error_code": self.code,
            "code": self.code,
            "correlationId": request_id,
        }
        if self.details is not None:
            body["details"] = self.details
        return body


def invalid(reason: str, /, **details: Any) -> Refusal:
    return Refusal(400, "invalid_request", f"The request is not valid: {reason}", details)


def unauthenticated(reason: str) -> Refusal:
    return Refusal(
        401,
        "unauthenticated",
        f"The request was refused because {reason}.",
        {"reason": reason},
        {"WWW-Authenticate": 'Bearer realm="openapp"'},
    )


def lacks(permission: str, granted: list[str]) -> Refusal:
    return Refusal(
        403,
        "forbidden",
        f"This needs the permission '{permission}', which the credential does not have.",
        {"permission": permission, "granted": granted},
    )


def foreign(org_id: str) -> Refusal:
    shown = org_id[:64]
    return Refusal(
        403,
        "forbidden",
        f"This credential belongs to another organization and cannot reach '{shown}'.",
        {"org_id": shown},
    )


def no_org(org_id: str) -> Refusal:
    return Refusal(404, "not_found", f"There is no organization '{org_id[:64]}'.", {"org_id": org_id[:64]})


def missing(kind: str, thing_id: str, message: str | None = None) -> Refusal:
    text = message or f"There is nothing like '{thing_id}' in {kind}."
    return Refusal(404, "not_found", text, {"resource": kind, "id": thing_id})


def not_deleted(kind: str, thing_id: str) -> Refusal:
    return Refusal(409, "not_deleted", f"'{thing_id}' in {kind} is not deleted.", {"resource": kind, "id": thing_id})
