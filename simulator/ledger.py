"""Every message the carrier knows, in memory and, if wished, in an SQLite file that outlives a restart."""

import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.records import Message, from_json, to_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (position INTEGER PRIMARY KEY, sid TEXT UNIQUE NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blocked (number TEXT, phone TEXT, PRIMARY KEY (number, phone));
"""


class Ledger:
    """Messages by SID, oldest first, and the blocked pairs; hold `lock` around anything that reads and then writes."""

    def __init__(self, path: Path | None) -> None:
        """Load what an earlier run left, if there is a file."""
        self.lock = threading.RLock()
        self.version = 0
        self.blocked: set[tuple[str, str]] = set()
        self._messages: dict[str, Message] = {}
        self._path = path
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            self._load()

    def __contains__(self, sid: str) -> bool:
        """Say whether a SID is taken."""
        return sid in self._messages

    def add(self, message: Message) -> Message:
        """Keep a new message."""
        with self.lock:
            message = self._keep(message)
            self._write("INSERT INTO message (sid, record) VALUES (?, ?)", message.sid, json.dumps(to_json(message)))
            return message

    def change(self, sid: str, **changes: Any) -> Message:
        """Replace fields of a message."""
        with self.lock:
            message = self._keep(replace(self._messages[sid], **changes))
            self._write("UPDATE message SET record = ? WHERE sid = ?", json.dumps(to_json(message)), sid)
            return message

    def get(self, sid: str) -> Message | None:
        """Look one message up."""
        return self._messages.get(sid)

    def all(self) -> list[Message]:
        """Return everything, oldest first."""
        with self.lock:
            return list(self._messages.values())

    def since(self, version: int) -> tuple[int, list[Message]]:
        """Return the present version and what changed after `version`."""
        with self.lock:
            return self.version, [message for message in self._messages.values() if message.version > version]

    def block(self, number: str, phone: str) -> None:
        """Block texts from a clinic's number to a phone."""
        with self.lock:
            self.blocked.add((number, phone))
            self._write("INSERT OR IGNORE INTO blocked VALUES (?, ?)", number, phone)

    def unblock(self, number: str, phone: str) -> bool:
        """Lift a block; False if there was none."""
        with self.lock:
            if (number, phone) not in self.blocked:
                return False
            self.blocked.discard((number, phone))
            self._write("DELETE FROM blocked WHERE number = ? AND phone = ?", number, phone)
            return True

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        with self.lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _keep(self, message: Message) -> Message:
        self.version += 1
        message = replace(message, version=self.version)
        self._messages[message.sid] = message
        return message

    def _open(self, path: Path) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            # A lost last bubble after a power cut is no harm; a slow pretend carrier is.
            self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _SCHEMA)
        return self._connection

    def _write(self, statement: str, *values: str) -> None:
        if self._path is not None:
            self._open(self._path).execute(statement, values)

    def _load(self) -> None:
        assert self._path is not None
        connection = self._open(self._path)
        for (record,) in connection.execute("SELECT record FROM message ORDER BY position"):
            message = from_json(json.loads(record))
            self._messages[message.sid] = message
        self.version = max((message.version for message in self._messages.values()), default=0)
        self.blocked = set(connection.execute("SELECT number, phone FROM blocked"))
