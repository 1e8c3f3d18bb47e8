"""What we know of our customers' plans, in SQLite: from the provider's events and from nothing else."""

from __future__ import annotations

import sqlite3
from typing import Literal

from .events import About, Fact

Outcome = Literal["applied", "repeated", "older"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS facts (org_id TEXT, about TEXT, value TEXT, at INTEGER, PRIMARY KEY (org_id, about));
"""
NEWEST = """
INSERT INTO facts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
SET value = excluded.value, at = excluded.at WHERE excluded.at >= facts.at
"""


class Accounts:
    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def record(self, fact: Fact) -> Outcome:
        """Providers send an event twice, and late ones after newer ones; neither may do anything.

        That an event was seen is written in the transaction that applies it: after a crash both are there, or neither.
        """
        with self._db:
            is_new = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (fact.event_id,)).rowcount
            if not is_new:
                return "repeated"
            changed = self._db.execute(NEWEST, (fact.org_id, fact.about, fact.value, fact.at)).rowcount
            return "applied" if changed else "older"

    def known(self, org_id: str, about: About, usual: str) -> str:
        row = self._db.execute("SELECT value FROM facts WHERE org_id = ? AND about = ?", (org_id, about)).fetchone()
        return usual if row is None else str(row[0])
