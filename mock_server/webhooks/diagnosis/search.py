"""The search for what a signature fits: one thing changed, then two. A fit is no guess: it takes the secret to make one.

The work is bounded by the bytes that are hashed, so that it ends at the same place on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from mock_server.webhooks.schemes import schemes
from mock_server.webhooks.schemes.protocol import Claim, Message, Rejected, Scheme, Verified
from mock_server.webhooks.schemes.standard import StandardWebhooks

from .bodies import LARGEST_TEXT, LINES, SLIPS, perturbed
from .evidence import Evidence
from .frames import PROBE, Around, Frame, frames, signed_form
from .json_forms import Rewritten, rewritten
from .judge import Judge, Spent
from .key_forms import KeyForm, key_forms
from .reading import differences, digest_of
from .report import Change, NearMiss, cut

LARGEST_PAIRED = 256 * 1024
"""Two changes at once are tried for bodies up to this size."""


class Asked(msgspec.Struct, frozen=True):
    """A message whose signature does not fit. `old`: secrets that were used before.

    `urls`: the one that is known ("" if none is), then others worth trying.
    """

    scheme: Scheme
    body: bytes
    headers: Mapping[str, str]
    secrets: Sequence[str]
    evidence: Evidence
    old: Sequence[str] = ()
    urls: tuple[str, ...] = ()
    id: str = ""


class Found(msgspec.Struct, frozen=True):
    near_misses: tuple[NearMiss, ...]
    skipped: tuple[str, ...]
    attempts: int
    forms: Rewritten


def search(asked: Asked) -> Found:
    """All that fits with the fewest changes; nothing if nothing does."""
    judge = Judge(asked.evidence.tokens)
    forms = rewritten(asked.body)
    skipped = [forms.skipped] if forms.skipped else []
    if len(asked.body) > LARGEST_TEXT:
        skipped.append(
            f"changes of character set, compression and wrapping: the body is larger than {LARGEST_TEXT // 1024} KiB"
        )
    near: list[NearMiss] = []
    tries = Tries(asked, judge, forms.forms)
    try:
        near = tries.strictly() or tries.first() or tries.second()
        if not near and asked.evidence.tokens and not tries.paired:
            skipped.append(f"two changes at once: the body is larger than {LARGEST_PAIRED // 1024} KiB")
    except Spent:
        skipped.append(f"what comes after {judge.attempts} attempts: with a body of this size they would take too long")
    return Found(tuple(near), tuple(skipped), judge.attempts, forms)


class Tries:
    """The attempts in their order. Each stage gives what it found first; the next one is only for when it is nothing."""

    def __init__(self, asked: Asked, judge: Judge, forms: Sequence[tuple[Change, bytes]]) -> None:
        self._asked, self._judge, self._forms = asked, judge, forms
        self._own = asked.scheme
        self._claim = asked.scheme.claim(asked.headers)
        self._keys = key_forms(self._own, asked.secrets, asked.old)
        self._frames = frames(self._own, around(asked, self._own))
        self._nominal = [key for key in self._keys if key.change is None]
        others = [scheme for scheme in schemes().values() if scheme.name != self._own.name]
        self._others = sorted(others, key=precision)
        self._present = [scheme for scheme in self._others if self._is_present(scheme)]
        self.paired = len(asked.body) <= LARGEST_PAIRED

    def _is_present(self, scheme: Scheme) -> bool:
        """Whether its own header stands there, and means something else than the expected scheme would make of it."""
        claim = scheme.claim(self._asked.headers)
        if isinstance(claim, Rejected):
            return False
        same = scheme.header.lower() == self._own.header.lower()
        return not (same and scheme.material(Message(PROBE), claim) == self._frames[0].material(PROBE))

    def strictly(self) -> list[NearMiss]:
        """Another scheme that has its own header in the request and accepts it as it stands."""
        asked = self._asked
        for scheme in self._others:
            claim = scheme.claim(asked.headers)
            if isinstance(claim, Rejected) or not asked.evidence.tokens:
                continue
            if self._nominal and scheme not in self._present:
                continue  # It differs in its key alone, and that is said of the key.
            around_it = around(asked, scheme)
            url = around_it.urls[0] if around_it.urls else ""
            message = Message(asked.body, url, asked.id)
            self._judge.pay(len(asked.body) * len(asked.secrets))
            verdict = scheme.verify(message, asked.headers, asked.secrets, 0, 0)
            if isinstance(verdict, Verified):
                return [NearMiss((_of_scheme(self._own, scheme, own_header=True),), cut(claim.signatures[0]))]
        return []

    def first(self) -> list[NearMiss]:
        body, plain = self._asked.body, self._frames[0]
        found = self._tried((), [plain], [(None, body)], self._nominal)
        if not self.paired:
            # The bytes that may be hashed will not do for all: the likeliest first.
            found = found or self._tried((), [plain], self._bodies(), self._nominal)
        found = found or self._tried((), [plain], [(None, body)], self._keys)
        if self.paired:
            found = found or self._tried((), [plain], self._bodies(), self._nominal)
        found = found or self._tried((), self._frames[1:], [(None, body)], self._nominal)
        return found or self._slips() or self._foreign(self._others, [(None, body)], changed_keys=False)

    def second(self) -> list[NearMiss]:
        if not self.paired or not self._asked.evidence.tokens:
            return []
        body, plain = self._asked.body, self._frames[0]
        bodies = list(self._bodies())
        changed = [key for key in self._keys if key.change is not None]
        found = self._foreign(self._present, [(None, body)], changed_keys=True)
        found = found or self._foreign(self._present, bodies, changed_keys=False)
        found = found or self._tried((), [plain], bodies, changed)
        found = found or self._tried((), self._frames[1:], [(None, body)], changed)
        found = found or self._tried((), self._frames[1:], bodies, self._nominal)
        found = found or self._foreign(self._others, [(None, body)], changed_keys=True)
        return found or self._foreign(self._others, bodies, changed_keys=False)

    def _bodies(self) -> Iterator[tuple[Change | None, bytes]]:
        """Each body once, under its simplest name."""
        held = self._asked.body
        seen = {hash(held)}
        for change, body in chain(perturbed(held, LINES), self._forms, perturbed(held, SLIPS)):
            if hash(body) not in seen:
                seen.add(hash(body))
                yield change, body

    def _tried(
        self,
        changes: tuple[Change, ...],
        around_it: Sequence[Frame],
        bodies: Iterable[tuple[Change | None, bytes]],
        keys: Sequence[KeyForm],
    ) -> list[NearMiss]:
        """The first fit."""
        if not self._asked.evidence.tokens:
            return []
        for change, body in bodies:
            for frame in around_it:
                material = frame.material(body)
                for key in keys:
                    if (token := self._judge.fits(key.key, material)) is not None:
                        of_token = () if changes else differences(self._own, token, self._claim)
                        all_of = (change, frame.change, key.change)
                        whole = (*changes, *(each for each in all_of if each is not None), *of_token)
                        return [NearMiss(whole, cut(token.text))] if whole else []
        return []

    def _foreign(
        self, others: Sequence[Scheme], bodies: Sequence[tuple[Change | None, bytes]], *, changed_keys: bool
    ) -> list[NearMiss]:
        """Other schemes, with the signature from whatever header it stands in."""
        tried = [] if others is self._present else self._frames
        seen = {(frame.material(PROBE), key.key) for frame in tried for key in self._nominal}
        for scheme in others:
            around_it = around(self._asked, scheme)
            if any(kind in scheme.uses and not getattr(around_it, f"{kind}s") for kind in ("time", "id", "url")):
                continue
            plain = frames(scheme, around_it)[0]
            keys = key_forms(scheme, self._asked.secrets)
            keys = [key for key in keys if changed_keys or key.change is None]
            keys = [key for key in keys if (plain.material(PROBE), key.key) not in seen]
            seen |= {(plain.material(PROBE), key.key) for key in keys}
            change = _of_scheme(self._own, scheme, own_header=False)
            if found := self._tried((change,), [plain], bodies, keys):
                return found
        return []

    def _slips(self) -> list[NearMiss]:
        """Digests that are no HMAC, or one with its arguments changed round."""
        material = self._frames[0].material(self._asked.body)
        for key in self._nominal:
            for slip, token in (
                (SWAPPED, self._judge.fits(material, key.key)),
                (KEY_FIRST, self._judge.hashed(key.key + material)),
                (KEY_LAST, self._judge.hashed(material + key.key)),
                (NO_KEY, self._judge.hashed(material)),
                (NO_KEY, self._judge.hashed(self._asked.body)),
            ):
                if token is not None:
                    return [NearMiss((slip,), cut(token.text))]
        return []


def precision(scheme: Scheme) -> tuple[bool, bool]:
    """What is tried first: schemes that take one kind of key, and the configurable one last."""
    return scheme.name == "generic", isinstance(scheme, StandardWebhooks) and len(scheme.key) > 1


def around(asked: Asked, scheme: Scheme) -> Around:
    """What the scheme reads from the headers first, then whatever else looks like it."""
    claim = scheme.claim(asked.headers)
    times, ids = list(asked.evidence.times), [asked.id, *asked.evidence.ids] if asked.id else list(asked.evidence.ids)
    if isinstance(claim, Claim):
        times = [claim.time or "", *times]
        ids = [claim.id or "", *ids]
    own = scheme.name == asked.scheme.name
    urls = asked.urls if own else tuple(filter(None, asked.urls))
    return Around(urls, tuple(filter(None, dict.fromkeys(times))), tuple(filter(None, dict.fromkeys(ids))))


def _of_scheme(own: Scheme, other: Scheme, *, own_header: bool) -> Change:
    where = (
        f"and {other.header} stands in the request" if own_header else f"though it stands where {own.title} is expected"
    )
    return Change(
        "scheme",
        f"scheme:{other.name}",
        f"the scheme of {other.title}: {signed_form(other)}, HMAC-{digest_of(other).upper()}",
        f"This was signed the way {other.title} signs, {where}.",
        f"Verify it as {other.title}: --provider {other.name}; in your code, route it to the verifier of {other.title}. "
        f"If the sender is your own, have it sign {signed_form(own)}.",
    )


def _slip(name: str, what: str, meaning: str) -> Change:
    advice = "Use HMAC with the secret as its key: hmac.new(key, data, sha256), createHmac('sha256', key).update(data)."
    return Change("digest", f"digest:{name}", what, meaning, advice)


SWAPPED = _slip("swapped", "an HMAC with key and message changed round", "The two arguments of the HMAC are swapped.")
KEY_FIRST = _slip("secret-before", "a plain digest of the secret and the bytes", "The secret was put before the bytes.")
KEY_LAST = _slip("secret-after", "a plain digest of the bytes and the secret", "The secret was put after the bytes.")
NO_KEY = _slip("unkeyed", "a plain digest without any secret", "This is a checksum: everybody can make it.")
