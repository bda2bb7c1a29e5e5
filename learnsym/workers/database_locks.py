"""Locks in PostgreSQL: for processes on any number of machines."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from learnsym.workers.database import database_url, engine_for, unreachable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

logger = logging.getLogger(__name__)

T = TypeVar("T")
Row = tuple[Any, ...]

_all: weakref.WeakSet[DatabaseLocks] = weakref.WeakSet()


class DatabaseLocks:
    """Named locks of PostgreSQL, each held by the session of this process, which may be used for other work, too.

    A lock ends with its connection, and so with the process, at once, however it ends; a machine that vanishes from
    the network loses its locks after a minute. Processes that this one has forked have a connection of their own. A
    connection pooler between here and there must keep sessions (`pool_mode = session`).

    Args:
        url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        space: names of different spaces do not meet.

    Raises:
        ValueError: on first use, when the database cannot be reached.
    """

    def __init__(self, url: str, space: str) -> None:
        self.url = database_url(url)
        self.space = space
        self._start(engine_for(self.url))
        _all.add(self)

    def beside(self, space: str) -> DatabaseLocks:
        """Locks of another space on the same connection."""
        other = DatabaseLocks(self.url.render_as_string(hide_password=False), space)
        other._start(self.engine)
        return other

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Try once, and hold the lock in the block; False when another thread or process has it."""
        mine = self._reserve(name, wait=False) and self._take(name, "pg_try_advisory_lock")
        try:
            yield mine
        finally:
            if mine:
                self._give_back(name)

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Wait for the lock, and hold it in the block."""
        self._reserve(name, wait=True)
        self._take(name, "pg_advisory_lock")
        try:
            yield
        finally:
            self._give_back(name)

    @contextmanager
    def made(self, script: str, name: Callable[[Row], str]) -> Iterator[Row | None]:
        """Run statements that make something, lock it by its `key`, and end in a row about it; hold it in the block.

        Args:
            script: goes to the server as one message, which is one transaction; each statement is a query, and the
                last gives one row or none.
            name: of the lock that the script has taken, by the row.
        """
        row = self._ask(lambda connection: _last_row(connection, script))
        if row is None:
            yield None
            return
        self._reserve(name(row), wait=True)
        self._locked.add(name(row))
        try:
            yield row
        finally:
            self._give_back(name(row))

    def holds(self, name: str) -> bool:
        """Whether this process still has the lock: a broken connection loses it, and it is taken back if it is free."""
        if name not in self._names:
            return False
        try:
            self._query("SELECT 1")
        except Exception as error:
            if not _is_broken(error):
                raise
        return name in self._locked or self._lock(name, "pg_try_advisory_lock")

    def close(self) -> None:
        """End the connection and with it all locks; another is made when it is needed."""
        with self._speaking:
            self.engine.dispose()
            self._locked.clear()

    def bytes_of(self, name: str) -> bytes:
        """What the key of a lock is made from: its first eight bytes of SHA-256."""
        return f"{self.space}\0{name}".encode()

    def _start(self, engine: Engine) -> None:
        self.engine = engine
        """With the one connection that the locks lie on."""
        self._names: set[str] = set()
        self._locked: set[str] = set()
        self._changed = threading.Condition()
        self._speaking = threading.Lock()
        self._session: Any = None
        """The connection of psycopg that the locks lie on."""

    def _reserve(self, name: str, *, wait: bool) -> bool:
        """Threads of one session would all be given its lock: they exclude each other here."""
        with self._changed:
            while name in self._names:
                if not wait:
                    return False
                self._changed.wait()
            self._names.add(name)
        return True

    def _free(self, name: str) -> None:
        with self._changed:
            self._names.discard(name)
            self._changed.notify_all()

    def _take(self, name: str, function: str) -> bool:
        mine = False
        try:
            mine = self._lock(name, function)
        finally:
            if not mine:
                self._free(name)
        return mine

    def _lock(self, name: str, function: str) -> bool:
        statement = f"SELECT {function}(:key)"
        try:
            mine = self._query(statement, key=self._key(name))
        except Exception as error:
            if not _is_broken(error):  # it may have broken long ago
                raise
            mine = self._query(statement, key=self._key(name))
        if mine is not False:  # the function that waits returns nothing
            self._locked.add(name)
        return name in self._locked

    def _give_back(self, name: str) -> None:
        try:
            if name in self._locked:
                self._query("SELECT pg_advisory_unlock(:key)", key=self._key(name))
        except Exception as error:
            if not _is_broken(error):
                raise
            logger.warning("the connection to the database broke while %s was locked", name)
        finally:
            self._locked.discard(name)
            self._free(name)

    def _key(self, name: str) -> int:
        """64 bits with sign, as PostgreSQL wants them."""
        return int.from_bytes(sha256(self.bytes_of(name)).digest()[:8], "big", signed=True)

    def _query(self, statement: str, **values: int) -> object:
        from sqlalchemy import text

        return self._ask(lambda connection: connection.execute(text(statement), values).scalar())

    def _ask(self, make: Callable[[Connection], T]) -> T:
        """What a function finds with the connection, on which each statement is a transaction."""
        from sqlalchemy.exc import DBAPIError

        with self._speaking:
            try:
                connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            except DBAPIError as error:
                raise unreachable(self.url, error) from None  # its text may hold the password
            with connection:
                session = connection.connection.dbapi_connection
                if session is not self._session:  # a broken one was made again
                    self._session = session
                    self._locked.clear()
                try:
                    return make(connection)
                except Exception as error:
                    if _is_broken(error):
                        self._locked.clear()
                    raise


def _last_row(connection: Connection, script: str) -> Row | None:
    cursor: Any = connection.exec_driver_sql(script, execution_options={"no_parameters": True}).cursor
    while cursor.nextset():
        pass
    return cursor.fetchone()


def _is_broken(error: Exception) -> bool:
    return bool(getattr(error, "connection_invalidated", False))


def _forked() -> None:
    """Let go of the parent's connection without a word to the server, which would end the parent's session."""
    for locks in list(_all):
        if locks._session is not None and not locks._session.closed:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, locks._session.fileno())
            os.close(null)
            _inherited.append(locks._session)
        in_use = locks.engine.pool.checkedout()  # type: ignore[attr-defined]  by a thread that this process lacks
        locks._start(engine_for(locks.url) if in_use else locks.engine)


_inherited: list[Any] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
