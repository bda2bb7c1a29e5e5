"""Storages of studies: what can be used, and one sentence for what cannot."""

from __future__ import annotations

import errno
import os
import signal
import time

import pytest

from learnsym.workers import check_storage, journal, storage_errors, study_storage
from learnsym.workers.database import database_url, shown

optuna = pytest.importorskip("optuna")
OperationalError = pytest.importorskip("sqlalchemy.exc").OperationalError


def refused(storage):
    """The sentence."""
    with pytest.raises(ValueError, match=r"^storage: ") as caught:
        study_storage(storage)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("scheme", ["", "journal:"])
def test_a_journal_is_a_file(tmp_path, scheme):
    path = f"{scheme}{tmp_path / 'new' / 'a.journal'}"
    study = optuna.create_study(storage=study_storage(path), study_name="s")
    study.tell(study.ask(), 1.0)
    assert optuna.load_study(storage=study_storage(path), study_name="s").best_value == 1.0


def test_a_database(postgres_database):
    for address in (postgres_database, postgres_database.replace("postgresql://", "postgres://")):
        storage = study_storage(address)
        assert optuna.create_study(storage=storage, study_name="s", load_if_exists=True).trials == []


def test_files_that_are_no_journals_are_left_alone(tmp_path):
    for content in (b"some text", b"some text\nand more\n", b'{"other": 3}\n', b"\x00\xff"):
        (tmp_path / "file").write_bytes(content)
        assert "is not a journal of studies" in refused(str(tmp_path / "file"))
        assert (tmp_path / "file").read_bytes() == content
    assert "is a folder" in refused(str(tmp_path))


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ("sqlite:///a.db", "sqlite is not safe with several workers"),
        ("mysql://host/name", "mysql is not known"),
        ("postgresql://user:secret@host:port/name", "the address cannot be read"),
        ("postgresql://user:secret@127.0.0.1:1/name", "user:...@127.0.0.1:1/name cannot be reached"),
        ("postgresql://user:secret@nowhere.invalid/name", "cannot be reached"),
    ],
)
def test_bad_addresses(storage, words):
    sentence = refused(storage)
    assert words in sentence.replace("***", "...") and "secret" not in sentence
    if "127" not in storage and "nowhere" not in storage:
        with pytest.raises(ValueError, match=r"^storage: "):
            check_storage(storage)


SECRET = [
    "postgresql://u:pa@secret@127.0.0.1/db",
    "postgresql://u:@@secret@127.0.0.1/db",
    "postgresql://u:a@b/secret@127.0.0.1/db",
    "postgresql://u:a@b:secret@127.0.0.1/db",
    "postgresql://u:a@b?secret=1@127.0.0.1/db",
    "postgresql://u/secret@127.0.0.1/db",
    "postgresql://127.0.0.1/db?password=a@secret",
    "POSTGRES://u:a@secret@127.0.0.1/db",
    "postgres:u:secret@127.0.0.1",
    "postgresql:u:secret@127.0.0.1/db",
    "postgresql+psycopg2://u:secret@127.0.0.1/db",
    "mysql://u:secret@127.0.0.1/db",
    "mysql:u:secret@127.0.0.1/db",
    "u:secret@127.0.0.1/db",
]


@pytest.mark.parametrize("storage", SECRET)
def test_addresses_that_divide_a_password_are_refused_without_it(storage, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^storage: ") as before:
        check_storage(storage)
    for sentence in (refused(storage), str(before.value)):
        assert "secret" not in sentence and "postgresql://" in sentence
    # nor in what a traceback would show beneath it
    assert before.value.__cause__ is None and (before.value.__context__ is None or before.value.__suppress_context__)
    assert not list(tmp_path.iterdir()) and "secret" not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:se:secret@127.0.0.1:1/db",
        "postgresql://u:a/secret@127.0.0.1:1/db",
        "postgresql://u:a%23%2Fsecret%40@127.0.0.1:1/db",
        "postgresql://u:a#secret@127.0.0.1:1/db",
        "PostgreSQL+psycopg://u:secret@127.0.0.1:1/db",
        "postgresql://u@127.0.0.1:1/db?password=secret",
        "postgresql://u@127.0.0.1:1/db?sslpassword=secret",
        "postgresql://u@127.0.0.1:1/db?options=-c%20app.key%3Dsecret",
        "postgresql://u@127.0.0.1:1/db?passfile=/secret/file",
        "postgresql://u@127.0.0.1:1/db?secret=1",
    ],
)
def test_passwords_are_not_shown(address):
    url = database_url(address)
    assert "secret" not in shown(url) and "127.0.0.1:1/db" in shown(url)
    assert "secret" not in refused(address)
    with (
        pytest.raises(RuntimeError, match=r"stopped answering") as lost,
        storage_errors(address),
    ):
        raise OperationalError("", None, Exception("FATAL: no secret here, and no -c app.key=secret"))
    hidden = url.password or next(iter(url.query.values()))
    assert hidden == "1" or hidden not in str(lost.value)


def test_a_user_with_an_at_is_written_with_a_code():
    assert shown(database_url("postgresql://me%40server:secret@host/db")) == "postgresql://me%40server:***@host/db"


def test_a_file_with_a_colon_in_its_name(tmp_path):
    check_storage(f"{tmp_path}/a:b.journal")
    check_storage("journal:a:b.journal")


def test_a_database_says_no(postgres):
    assert "refuses the user or the password" in (sentence := refused(postgres.url(password="wrong-secret")))
    assert "wrong-secret" not in sentence
    assert "refuses the user or the password" in refused(postgres.url(user="nobody"))
    assert "no such database; make it with createdb none" in refused(postgres.url("none"))


def test_a_database_of_another_program(postgres):
    for name, statement in (("foreign", "CREATE TABLE studies (x int)"), ("other", "CREATE TABLE trials (x int)")):
        url = postgres.create(name)
        postgres.query(statement, name)
        assert "tables that are not Optuna's" in refused(url)


def test_a_database_of_another_version(postgres, postgres_database):
    study_storage(postgres_database)
    name = postgres_database.rpartition("/")[2]
    postgres.query("UPDATE alembic_version SET version_num = 'v0.9.0.a'", name)
    assert "another version of Optuna; bring them up to date with optuna storage upgrade" in refused(postgres_database)


def test_a_database_that_goes_away(postgres, postgres_database):
    storage = study_storage(postgres_database)
    name = postgres_database.rpartition("/")[2]
    postgres.query(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with (
        pytest.raises(RuntimeError, match=r"stopped answering .*; nothing is lost") as caught,
        storage_errors(postgres_database),
    ):
        storage.get_all_studies()
    assert "s3cret" not in str(caught.value)


def test_a_torn_line_is_cut_off(tmp_path):
    """As a full disk leaves it; the next line would otherwise be joined to it."""
    path = tmp_path / "a.journal"
    study = optuna.create_study(storage=study_storage(str(path)), study_name="s")
    with open(path, "ab") as file:
        file.write(b'{"op_code":4,"wor')
    study.ask()
    assert len(optuna.load_study(storage=study_storage(str(path)), study_name="s").trials) == 1


@pytest.mark.parametrize("line", [b'{"op_code":4,"wor\n', b"\x00\xff\n", b"[]\n", b"\n", b'{"op_code":"four"}\n'])
@pytest.mark.parametrize("place", [1, 3])
def test_a_garbled_line_is_named_and_nothing_is_lost(tmp_path, line, place):
    path = tmp_path / "a.journal"
    study = optuna.create_study(storage=study_storage(str(path)), study_name="s")
    study.ask(), study.ask()
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    before = b"".join([*lines[:place], line, *lines[place:]])
    path.write_bytes(before)
    with pytest.raises(
        ValueError, match=rf"^storage: line {place + 1} of .*a\.journal is no entry .*nothing is changed"
    ):
        study_storage(str(path))
    with pytest.raises(ValueError, match=rf"line {place + 1} of"):
        study.ask(), study.ask()
    assert path.read_bytes().startswith(before)


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    path = tmp_path / "a.journal"
    study = optuna.create_study(storage=study_storage(str(path)), study_name="s")
    trial = study.ask()

    def fsync(descriptor):
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - 5)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fsync", fsync)
        study.tell(trial, 1.0)
    assert path.read_bytes().endswith(b"\n")
    study.tell(trial, 1.0)
    assert optuna.load_study(storage=study_storage(str(path)), study_name="s").best_value == 1.0


def test_a_writer_that_is_killed_holds_up_nobody(tmp_path):
    path = tmp_path / "a.journal"
    study_storage(str(path))
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        journal.JournalLock(path).acquire()
        os.write(tell, b"x")
        time.sleep(60)
    os.read(ready, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    began = time.monotonic()
    optuna.create_study(storage=study_storage(str(path)), study_name="s")
    assert time.monotonic() - began < 20  # Optuna's own locks wait for 30 s
