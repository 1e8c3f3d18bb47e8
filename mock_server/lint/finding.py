"""What the lint reports."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One place in a bundle that makes it harder to test, and what to do about it."""

    rule: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.rule}: {self.message}"
