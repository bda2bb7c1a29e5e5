"""Laws of locks: one holder at a time, and none when it is dead."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from learnsym.workers import DatabaseLocks, FolderLocks, Locks, locks_for


@pytest.fixture(params=["folder", "database"])
def make(request, tmp_path):
    """Locks of another object on the same names at each call."""
    if request.param == "folder":
        return lambda: FolderLocks(tmp_path, "space")
    pytest.importorskip("sqlalchemy")
    url = request.getfixturevalue("postgres_database")
    return lambda: DatabaseLocks(url, "space")


def in_child(function):
    """The exit code of a forked process that calls a function."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(int(function()))
        except BaseException:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def held_by_another(locks, name):
    def attempt():
        with locks.held(name) as mine:
            return mine

    return in_child(attempt) == 0


def test_one_holder(make):
    locks = make()
    assert isinstance(locks, Locks)
    for _ in range(2):
        with locks.held("a b/c") as mine, locks.held("a b/c") as again, locks.held("a b_c") as other:
            assert (mine, again, other) == (True, False, True)
            assert locks.holds("a b/c") and not locks.holds("else")
            assert held_by_another(locks, "a b/c") and held_by_another(make(), "a b/c")
        assert not locks.holds("a b/c") and not held_by_another(locks, "a b/c")


def test_an_error_frees(make):
    locks = make()
    for context in (locks.held, locks.waiting):
        with pytest.raises(KeyError), context("x"):
            raise KeyError
        assert not held_by_another(locks, "x")


def test_threads_exclude_each_other(make):
    locks, inside, most = make(), [], []

    def work():
        for _ in range(10):
            with locks.waiting("x"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1 and len(most) == 40


def test_processes_exclude_each_other(make, tmp_path):
    """A counter that is read and written back loses nothing."""
    locks, counter = make(), tmp_path / "counter"
    counter.write_text("0")

    def work():
        for _ in range(20):
            with locks.waiting("x"):
                value = int(counter.read_text())
                time.sleep(0.001)
                counter.write_text(str(value + 1))
        return 0

    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            os._exit(work())
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert counter.read_text() == "80"


def test_a_kill_frees_though_children_live(make):
    locks = make()
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        with locks.waiting("x"):
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            os.write(tell, child.to_bytes(4, "big"))
            time.sleep(20)
    child = int.from_bytes(os.read(ready, 4), "big")
    assert held_by_another(locks, "x")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with locks.waiting("x"):
        os.kill(child, 0)  # is still there
        os.kill(child, signal.SIGKILL)


def test_a_broken_connection_loses_and_takes_back(postgres, postgres_database):
    pytest.importorskip("sqlalchemy")
    locks, others = DatabaseLocks(postgres_database, "s"), DatabaseLocks(postgres_database, "s")
    with locks.held("x") as mine:
        assert mine
        cut(postgres, postgres_database)
        assert locks.holds("x") and held_by_another(others, "x")
        cut(postgres, postgres_database)
        with others.held("x") as stolen:
            assert stolen and not locks.holds("x")
        assert locks.holds("x")
    assert not held_by_another(others, "x")
    with locks.held("y"):
        cut(postgres, postgres_database)  # giving back what is lost is no error
    with locks.held("y") as mine:
        assert mine


def cut(postgres, url):
    name = url.rpartition("/")[2]
    postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    time.sleep(0.05)


def test_spaces_do_not_meet(make, tmp_path):
    locks = make()
    other = FolderLocks(tmp_path, "other") if isinstance(locks, FolderLocks) else DatabaseLocks(locks_url(locks), "o")
    with locks.held("x") as a, other.held("x") as b:
        assert a and b


def locks_url(locks):
    return locks.url.render_as_string(hide_password=False)


def test_where_locks_lie(tmp_path):
    journal = tmp_path / "a.journal"
    first, second = locks_for(str(journal), tmp_path / "x", "s"), locks_for(f"journal:{journal}", tmp_path / "y", "s")
    with first.held("n") as mine, second.held("n") as other:
        assert mine and not other
    assert locks_for(None, tmp_path / "x", "s").folder == tmp_path / "x" / ".locks"
