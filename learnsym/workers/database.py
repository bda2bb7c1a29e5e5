"""PostgreSQL addresses: which driver reads them, and what to say when no connection comes about."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

ADDRESS = re.compile(r"postgres(?:ql)?(?:\+(\w+))?:", re.IGNORECASE)
SHOWN = ("host", "port", "user")
"""Of what stands behind the `?` of an address; all else may be a password, or hold one."""


def is_database(storage: str | None) -> bool:
    """Whether a storage is meant as an address of PostgreSQL, not as a file; it may be one that cannot be read.

    Example:
        >>> from learnsym.workers.database import is_database
        >>> is_database("postgresql://host/name"), is_database("study.journal"), is_database(None)
        (True, False, False)
    """
    return storage is not None and ADDRESS.match(storage) is not None


def database_url(storage: str) -> URL:
    """The address with psycopg 3 as its driver.

    Raises:
        ValueError: when it is no address, or the packages that read it are not installed; never with the password.
    """
    try:
        import psycopg  # noqa: F401
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise ValueError(f"storage: PostgreSQL needs {error.name}; install learnsym[scale]") from error
    named = ADDRESS.match(storage)
    if named and named[1] not in (None, "psycopg"):
        raise ValueError(f"storage: the driver {named[1]} is not used; write postgresql:// without one")
    try:
        url = make_url(storage)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise _unreadable() from None  # its text may hold the password
    # a second @, or one where no user is read, divides the password: its rest would be taken for the host
    if storage.count("@") > (url.username is not None):
        raise _unreadable()
    return url.set(drivername="postgresql+psycopg")


def _unreadable() -> ValueError:
    return ValueError(
        "storage: the address cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
        "with %-codes for special characters, such as %40 for @"
    )


def shown(url: URL) -> str:
    """The address without its password, however it is given."""
    harmless = {key: value for key, value in url.query.items() if key in SHOWN}
    return url.set(drivername="postgresql", password=None, query=harmless).render_as_string()


def without_secrets(url: URL, text: str) -> str:
    """What a database says, without what the address does not show."""
    hidden = [value for key, value in url.query.items() if key not in SHOWN]
    values = [url.password, *(each for value in hidden for each in ([value] if isinstance(value, str) else value))]
    for value in values:
        text = text.replace(str(value), "***") if value else text
    return text


def unreachable(url: URL, error: Exception) -> ValueError:
    """What to tell the user when the database answers no, or not at all."""
    where = shown(url)
    reason = str(getattr(error, "orig", None) or error)
    if "connection option" in reason or "URI query parameter" in reason:
        return ValueError(f"storage: {where} has an option that PostgreSQL does not know; see what stands behind the ?")
    if "password" in reason or "authentication" in reason or "no pg_hba.conf entry" in reason:
        return ValueError(f"storage: {where} refuses the user or the password; check both in the address")
    database = url.database or url.username
    if f'database "{database}" does not exist' in reason:
        return ValueError(f"storage: {where} has no such database; make it with createdb {database}")
    if 'role "' in reason and "does not exist" in reason:
        return ValueError(f"storage: {where} knows no such user; make it with createuser {url.username}")
    if "too many" in reason or "remaining connection slots" in reason:
        return ValueError(
            f"storage: {where} has no free connections; raise max_connections to one for each worker and some more, "
            "or start fewer workers"
        )
    return ValueError(f"storage: {where} cannot be reached; check host and port, and that PostgreSQL runs there")


PINGED = 0.02
"""Seconds after which a connection that nobody used is asked whether it still stands."""


def engine_for(url: URL) -> Engine:
    """An engine with one connection, which its users take in turn, and which is made again when it broke.

    The server asks after a silent client: locks of a machine that has vanished are free after a minute. A forked
    process makes a connection of its own.
    """
    from sqlalchemy import create_engine, event

    # nobody is given another connection instead: the locks lie on this one
    pool = {"pool_size": 1, "max_overflow": 0, "pool_timeout": threading.TIMEOUT_MAX}
    engine = create_engine(url, **pool, connect_args={"connect_timeout": 10})
    event.listen(engine.pool, "connect", _settle)
    event.listen(engine.pool, "checkin", _leave)
    event.listen(engine.pool, "checkout", _meet)
    return engine


def _settle(connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401  of psycopg
    settings = {"statement_timeout": 0, "lock_timeout": 0}
    settings |= {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}
    connection.execute("; ".join(f"SET {name} = {value}" for name, value in settings.items()))
    connection.commit()
    record.info["process"], record.info["used"] = os.getpid(), time.monotonic()


def _leave(_: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401  of psycopg
    record.info["used"] = time.monotonic()


def _meet(connection: Any, record: Any, proxy: Any) -> None:  # noqa: ANN401  of psycopg and SQLAlchemy
    """Refuse the connection of a parent, and one that has broken: the pool then makes another."""
    from sqlalchemy.exc import DisconnectionError

    if record.info["process"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None  # not closed: the parent goes on with it
        raise DisconnectionError("the connection of another process")
    if time.monotonic() - record.info["used"] < PINGED:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError(str(error)) from error
