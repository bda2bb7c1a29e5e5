"""Optuna storages by address: a journal file for one machine, PostgreSQL for any number."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnsym.files import writing
from learnsym.workers.database import database_url, is_database, shown, unreachable, without_secrets
from learnsym.workers.database_locks import DatabaseLocks
from learnsym.workers.locks import Locks, journal_path

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from sqlalchemy import URL


JOURNAL_BEGINS = b'{"op_code":'


class StorageLost(RuntimeError):
    """The storage stopped answering while work was going on."""


def study_storage(storage: str, locks: Locks | None = None) -> BaseStorage:
    """The storage of Optuna studies at an address.

    Args:
        storage: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, a path, or `journal:PATH`.
        locks: whose connection to the database is used; None for one of its own.

    Raises:
        ValueError: when there is none, it cannot be reached, or it holds something else; never with the password.
    """
    try:
        import optuna
    except ImportError as error:
        raise ValueError("storage: studies need optuna; install learnsym[scale]") from error
    if is_database(storage):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.get_storage(_database(database_url(storage), locks))
    _check_file(storage)
    return _journal(journal_path(storage))


def check_storage(storage: str) -> None:
    """Refuse an address that no study can lie at, before any work; nothing is opened."""
    if is_database(storage):
        database_url(storage)
    else:
        _check_file(storage)


def _check_file(storage: str) -> None:
    """Refuse what is meant as an address; it may hold a password, so that nothing but its scheme is said."""
    if storage.startswith("journal:") or not re.match(r"[^/]*:", storage):
        return
    scheme = re.match(r"(\w[\w+.-]*)://", storage)
    remedy = "is not safe with several workers" if scheme and "sqlite" in scheme[1] else "is not known"
    raise ValueError(
        f"storage: {scheme[1] if scheme else 'an address of this kind'} {remedy}; name a file such as study.journal "
        "(journal:PATH when its name has a colon), or use postgresql://"
    )


@contextmanager
def storage_errors(storage: str) -> Iterator[None]:
    """Turn what a database says when it goes away during the work into one sentence.

    Raises:
        StorageLost: instead of the error of a database.
    """
    try:
        yield
    except Exception as error:
        if not is_database(storage) or not _of_database(error):
            raise
        url = database_url(storage)
        said = without_secrets(url, _first_line(error))
        raise StorageLost(
            f"storage: {shown(url)} stopped answering ({said}); nothing is lost, the same command goes on"
        ) from error


def _of_database(error: Exception) -> bool:
    return type(error).__name__ == "StorageInternalError" or type(error).__module__.startswith("sqlalchemy.")


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error
    return str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]


def _journal(path: Path) -> BaseStorage:
    from optuna.storages import JournalStorage

    from learnsym.workers.journal_file import JournalFile

    if path.is_dir():
        raise ValueError(f"storage: {path} is a folder; name a file in it, such as {path / 'study.journal'}")
    if path.parent.is_file():
        raise ValueError(f"storage: {path.parent} is a file, not a folder for {path.name}; name another place")
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path), open(path, "ab+") as file:
        file.seek(0)
        head = file.read(len(JOURNAL_BEGINS))
    if not JOURNAL_BEGINS.startswith(head):  # what is no line is cut off later, so look before
        raise ValueError(f"storage: {path} is not a journal of studies; name another file")
    try:
        return JournalStorage(JournalFile(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"storage: {path} has a line that is no entry of a journal of studies ({type(error).__name__}: {error}); "
            "nothing is changed: restore it from a copy, or name another file"
        ) from error


def _database(url: URL, shared: Locks | None) -> Any:  # noqa: ANN401  an RDBStorage
    from optuna.exceptions import StorageInternalError
    from optuna.storages import RDBStorage
    from sqlalchemy import NullPool
    from sqlalchemy.exc import DBAPIError, OperationalError

    address = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")  # Optuna formats it
    several = {"poolclass": NullPool, "connect_args": {"connect_timeout": 10}}
    own = DatabaseLocks(url.render_as_string(hide_password=False), "learnsym")
    locks = shared if isinstance(shared, DatabaseLocks) and shared.url == url else own
    try:
        # tables are made without regard to others who make them
        with locks.beside("learnsym").waiting("tables"):
            database = RDBStorage(address, engine_kwargs=several)
            _probe(database)
            # to look at the tables takes several connections at once, to work on studies one
            database.scoped_session.remove()
            database.engine = locks.engine
            database.scoped_session.configure(bind=locks.engine)
            return database
    except OperationalError as error:
        raise unreachable(url, error) from None
    except (DBAPIError, StorageInternalError) as error:
        if isinstance(error.__cause__, OperationalError):
            raise unreachable(url, error.__cause__) from None
        raise ValueError(
            f"storage: {shown(url)} holds tables that are not Optuna's, or that its user may not use; "
            "name another database"
        ) from error
    except RuntimeError as error:
        raise ValueError(
            f"storage: {shown(url)} has the tables of another version of Optuna; "
            "bring them up to date with optuna storage upgrade, or name another database"
        ) from error


def _probe(storage: Any) -> None:  # noqa: ANN401  an RDBStorage
    """Read from the tables, which may be those of another program."""
    for look in (lambda: storage.get_study_id_from_name(""), lambda: storage.get_all_trials(-1)):
        with suppress(KeyError):
            look()
