"""`mockbill webhook schemes`: which providers there are, and how each signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mock_server.webhooks.schemes.protocol import Scheme

HEADS = ("name", "provider", "header", "signed", "digest", "tolerance", "key")


def schemes(
    name: Annotated[str | None, typer.Argument(help="One of them, with what is peculiar about it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the providers whose signatures are known: the header, what is signed, how, and with which key."""
    import msgspec

    from mock_server.commands import tables
    from mock_server.webhooks import schemes as known

    from .scheme_options import scheme_of

    if name is not None:
        told = described(scheme_of(name, None))
        if as_json:
            tables.say_json(msgspec.json.encode(told))
        else:
            tables.pairs([(key.replace("_", " "), value) for key, value in told.items()])
        return
    all_of_them = [described(scheme) for scheme in known.schemes().values()]
    if as_json:
        tables.say_json(msgspec.json.encode(all_of_them))
        return
    tables.table(
        HEADS,
        [
            (
                it["name"],
                it["title"],
                f"{it['header']}: {it['form']}",
                it["signed"],
                it["digest"],
                it["tolerance"],
                it["key"],
            )
            for it in all_of_them
        ],
    )


def described(scheme: Scheme) -> dict[str, str]:
    """Everything about a scheme in words."""
    from mock_server.webhooks.diagnosis.frames import signed_form
    from mock_server.webhooks.diagnosis.key_forms import key_words
    from mock_server.webhooks.diagnosis.reading import digest_of, encoding_of, header_form

    told = {
        "name": scheme.name,
        "title": scheme.title,
        "header": scheme.header,
        "form": header_form(scheme),
        "signed": signed_form(scheme),
        "digest": f"HMAC-{digest_of(scheme).upper()}",
        "encoding": encoding_of(scheme),
        "tolerance": _tolerance(scheme),
        "key": key_words(scheme),
        "about": _about(scheme),
    }
    beside = {"time_header": scheme.time_header, "id_header": scheme.id_header}
    return told | {name: header for name, header in beside.items() if header is not None}


def _tolerance(scheme: Scheme) -> str:
    if not scheme.tolerance:
        return "any age" if "time" in scheme.uses else "no time is signed"
    ahead = getattr(scheme, "future", True)
    return f"{scheme.tolerance} s" + (" either way" if ahead else " back")


def _about(scheme: Scheme) -> str:
    """What the file of the scheme says at its top, in one line."""
    import inspect
    import sys

    package = "mock_server.webhooks.schemes."
    for name, module in list(sys.modules.items()):
        if name.startswith(package) and getattr(module, "SCHEME", None) is scheme:
            return " ".join((inspect.getdoc(module) or "").split())
    return ""
