"""What a run has created in an organization that is not a world of its own, so that it can be deleted again.

A journal, a file of JSON lines, is told before and after each creation. So even a run that was killed leaves word of
what it left behind, and the next one, or `mockbill contract run --cleanup-only`, deletes that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from .bundle import Bundle, Operation
from .guard import OwnObjects
from .http import Allowance, Client, NoAnswer, NotAllowed, Request, Stopped
from .target import Target, TargetError

CALLS, SECONDS = 20_000, 120.0
PAGE, MOST_PAGES = 100, 50
GONE = frozenset((200, 202, 204, 404, 409, 410))
"""Answers after which a thing is deleted, or cannot be."""
DELETING = {"api_key": "revoke_api_key", "scripting_execution": "cancel_scripting_execution"}
WITH_ALL = {"integration": {"recursive": "true"}, "device": {"recursive": "true"}, "zone": {"cascade": "detach"}}


class Made(msgspec.Struct, frozen=True):
    """Something that was created. `org`: the organization that the request named."""

    operation: str
    id: str
    org: str | None


class Asked(msgspec.Struct, frozen=True):
    """A creation whose answer is not known."""

    operation: str
    org: str | None
    name: str | None


class Journal:
    """`with Journal(path) as journal`: nobody else may use the file meanwhile. It is deleted once nothing is left."""

    def __init__(self, path: Path) -> None:
        self.path, self.url = path, ""
        self.made: dict[str, Made] = {}
        self.asked: dict[int, Asked] = {}
        self._number = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Journal:
        """Raises TargetError if the file cannot be written, or another run writes it."""
        try:
            self._file = self.path.open("a+b")
            _locked(self._file)
        except BlockingIOError:
            assert self._file is not None
            self._file.close()
            raise TargetError(
                f"another run is using the journal {self.path}; give this one its own by --journal"
            ) from None
        except OSError as error:
            raise TargetError(f"the journal {self.path} cannot be written: {error.strerror}") from None
        self._file.seek(0)
        for line in self._file.read().splitlines():
            self._read(line)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._file is not None
        if self.is_clean:
            self.path.unlink(missing_ok=True)
        self._file.close()
        self._file = None

    @property
    def is_clean(self) -> bool:
        return not self.made and not self.asked

    def begin(self, url: str) -> None:
        """A run at a target begins."""
        self.url = url
        self._write({"target": url})

    def will_create(self, operation: str, org: str | None, name: str | None) -> int:
        self._number += 1
        self.asked[self._number] = Asked(operation, org, name)
        self._write({"will": self._number, "operation": operation, "org": org, "name": name})
        return self._number

    def created(self, number: int, operation: str, made: str | None, org: str | None) -> None:
        """`made`: None if it was refused."""
        self.asked.pop(number, None)
        if made is not None:
            self.made[made] = Made(operation, made, org)
        self._write({"did": number, "operation": operation, "made": made, "org": org})

    def deleted(self, made: str) -> None:
        if self.made.pop(made, None) is not None:
            self._write({"gone": made})

    def settled(self, number: int) -> None:
        """It is known what became of a creation without an answer."""
        self.asked.pop(number, None)
        self._write({"did": number, "operation": "", "made": None, "org": None})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            self._file.flush()

    def _read(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            if "target" in found:
                self.url = found["target"]
            elif "will" in found:
                self._number = max(self._number, found["will"])
                self.asked[found["will"]] = Asked(found["operation"], found["org"], found["name"])
            elif "did" in found:
                self.asked.pop(found["did"], None)
                if found["made"] is not None:
                    self.made[found["made"]] = Made(found["operation"], found["made"], found["org"])
            elif "gone" in found:
                self.made.pop(found["gone"], None)
        except (ValueError, KeyError, TypeError):
            # Half a line: the run was killed while it was written, so what it tells of had not been sent.
            return


def clean(target: Target, bundle: Bundle, journal: Journal) -> list[str]:
    """Delete all that the journal still knows. Gives notes; raises TargetError if it tells of another target."""
    if journal.is_clean:
        return []
    if journal.url and journal.url != target.url:
        raise TargetError(
            f"the journal {journal.path} tells of things that a run has left at {journal.url}: clean up there with "
            f"`mockbill contract run --cleanup-only --url {journal.url}`, or delete the file if they are gone"
        )
    cleaner = _Cleaner(target, bundle, journal)
    try:
        return cleaner.all()
    except (NoAnswer, Stopped, NotAllowed) as error:
        left = len(journal.made) + len(journal.asked)
        return [
            f"{left} things could not be deleted ({error}); they are written down in {journal.path}, and the next run, "
            "or `mockbill contract run --cleanup-only`, deletes them"
        ]
    finally:
        cleaner.client.close()


class _Cleaner:
    def __init__(self, target: Target, bundle: Bundle, journal: Journal) -> None:
        self._target, self._bundle, self._journal = target, bundle, journal
        self._guard = OwnObjects(target, bundle)
        for each in journal.made.values():
            self._owns(each)
        self.client = Client(target.url, Allowance(CALLS, target.rate, SECONDS, self._guard), target.timeout)

    def all(self) -> list[str]:
        """What could not be deleted, as notes."""
        self._find_lost()
        refused: dict[str, int] = {}
        orgs = [each for each in self._journal.made.values() if each.operation == "create_org"]
        for each in reversed([each for each in self._journal.made.values() if each.operation != "create_org"]):
            if (why := self._delete(each)) is None:
                self._journal.deleted(each.id)
            else:
                refused[why] = refused.get(why, 0) + 1
        if refused:
            reasons = ", ".join(f"{count} x {why}" for why, count in refused.items())
            return [f"not all could be deleted ({reasons}); what is left is written down in {self._journal.path}"]
        for each in orgs:
            self._journal.deleted(each.id)
        return []

    def _owns(self, made: Made) -> None:
        (self._guard.orgs if made.operation == "create_org" else self._guard.made).add(made.id)

    def _delete(self, made: Made) -> str | None:
        """What refused it; None if it is gone."""
        kind = made.operation.removeprefix("create_")
        for verb in (DELETING.get(kind, f"delete_{kind}"), f"purge_{kind}"):
            if verb not in self._bundle.operations:
                continue
            query = WITH_ALL.get(kind) if verb.startswith("delete_") else None
            answer = self.client.send(self._request(self._bundle[verb], {"id": made.id}, query))
            if answer.status not in GONE:
                return f"{verb}: {answer.status}"
        return None

    def _request(
        self, operation: Operation, path: Mapping[str, str], query: Mapping[str, str] | None, org: str | None = None
    ) -> Request:
        headers = [("X-API-Key", self._target.credentials["owner"]), *self._target.extra_headers.items()]
        if org is not None:
            headers.append(("X-Org", org))
        return operation.request(path, query, tuple(headers))

    def _find_lost(self) -> None:
        """What was created although no answer came: it is found by its name, or by where it was made."""
        for number, asked in sorted(self._journal.asked.items()):
            is_org = asked.operation == "create_org"
            if asked.operation not in self._bundle.operations or not (is_org or asked.org in self._guard.orgs):
                self._journal.settled(number)
                continue
            for item in self._listed(asked.operation, None if is_org else asked.org):
                if is_org and asked.name not in (_name(item), item.get("name")):
                    continue
                if not is_org and item.get("org_id", asked.org) != asked.org:
                    # A target that looks elsewhere than it was told to shows what others have made.
                    continue
                made = Made(asked.operation, item["id"], asked.org)
                if made.id not in self._journal.made:
                    self._journal.created(number, made.operation, made.id, made.org)
                    self._owns(made)
            self._journal.settled(number)

    def _listed(self, creation: str, org: str | None) -> Iterator[Mapping[str, Any]]:
        path = self._bundle[creation].path
        listing = next(
            (each for each in self._bundle.operations.values() if each.method == "GET" and each.path == path), None
        )
        for page in range(MOST_PAGES if listing is not None else 0):
            assert listing is not None
            has_pages = any("Offset" in str(each) or each.get("name") == "offset" for each in listing.parameters)
            query = {"limit": str(PAGE), "offset": str(page * PAGE)} if has_pages else None
            found = self.client.send(self._request(listing, {}, query, org)).json
            items = found.get("items", []) if isinstance(found, Mapping) else found
            if not isinstance(items, list):
                return
            yield from (each for each in items if isinstance(each, Mapping) and isinstance(each.get("id"), str))
            if len(items) < PAGE or not has_pages:
                return


def _name(item: Mapping[str, Any]) -> Any:
    """A name that is a text, or one text for each language."""
    name = item.get("name")
    return next(iter(name.values()), None) if isinstance(name, Mapping) else name


def _locked(file: IO[bytes]) -> None:
    """Raises BlockingIOError if another process holds it. The lock goes with the process, however that ends."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
