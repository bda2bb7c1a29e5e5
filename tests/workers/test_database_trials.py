"""Laws of new trials in PostgreSQL: those that Optuna would make, no more than wanted, locked before they are seen."""

from __future__ import annotations

import datetime
import os
import time

import pytest

pytest.importorskip("sqlalchemy")
optuna = pytest.importorskip("optuna")

from learnsym.workers import DatabaseLocks, study_storage  # noqa: E402
from learnsym.workers.database_trials import new_trial  # noqa: E402


@pytest.fixture
def study(postgres_database):
    """Locks and a storage on one connection, and the id of an empty study."""
    locks = DatabaseLocks(postgres_database, "space")
    storage = study_storage(postgres_database, locks)
    return locks, storage, optuna.create_study(storage=storage, study_name="study")._study_id


def facts(trial):
    plain = (trial.state, trial.values, trial.params, trial.user_attrs, trial.system_attrs, trial.datetime_complete)
    return (*plain, trial.intermediate_values)


def test_it_is_the_trial_that_optuna_makes(study):
    locks, storage, number = study
    storage.create_new_trial(number)
    with new_trial(locks, number, 3, "trial") as made:
        ours, theirs = made, storage.create_new_trial(number)
    first, second, third = storage.get_all_trials(number)
    assert (second._trial_id, second.number) == ours and third._trial_id == theirs
    assert [first.number, second.number, third.number] == [0, 1, 2]
    assert facts(second) == facts(third)
    assert abs(second.datetime_start - third.datetime_start) < datetime.timedelta(minutes=1)


def test_there_are_no_more_than_wanted(study):
    locks, storage, number = study
    for place in range(2):
        with new_trial(locks, number, 2, "trial") as made:
            assert made is not None and made[1] == place
    with new_trial(locks, number, 2, "trial") as made:
        assert made is None
    assert len(storage.get_all_trials(number)) == 2


def test_it_is_locked_by_its_name(study, postgres_database):
    locks, _, number = study
    others = DatabaseLocks(postgres_database, "space")
    with new_trial(locks, number, 2, "trial") as made:
        assert made is not None and locks.holds("trial 0")
        with others.held("trial 0") as theirs, locks.held("trial 0") as again:
            assert not theirs and not again
    with others.held("trial 0") as theirs:
        assert theirs and not locks.holds("trial 0")


def test_processes_make_each_once(study, postgres_database, tmp_path):
    _, storage, number = study

    def work(worker):
        locks, made = DatabaseLocks(postgres_database, "space"), []
        while True:
            with new_trial(locks, number, 40, "trial") as found:
                if found is None:
                    break
                made.append(found[1])
        (tmp_path / str(worker)).write_text(" ".join(map(str, made)))

    pids = []
    for worker in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                work(worker)
                os._exit(0)
            except BaseException:
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    made = [int(name) for path in tmp_path.iterdir() for name in path.read_text().split()]
    assert sorted(made) == list(range(40)) == [trial.number for trial in storage.get_all_trials(number)]


def test_a_worker_has_one_connection(study, postgres, postgres_database):
    locks, storage, number = study
    name = postgres_database.rpartition("/")[2]
    count = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    with new_trial(locks, number, 1, "trial") as made:
        assert made is not None
        storage.set_trial_state_values(made[0], optuna.trial.TrialState.COMPLETE, [1.0])
        assert postgres.query(count) == [(1,)]
    locks.close()
    assert postgres.query(count) == [(0,)]
    assert storage.get_all_trials(number)[0].values == [1.0]


def test_a_broken_connection_loses_the_lock_of_all_its_users(study, postgres, postgres_database):
    """What the storage has connected anew does not hold what was locked before."""
    locks, storage, number = study
    name = postgres_database.rpartition("/")[2]
    with new_trial(locks, number, 1, "trial") as made:
        assert made is not None
        postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        while postgres.query(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'") != [(0,)]:
            pass
        with DatabaseLocks(postgres_database, "space").held("trial 0") as stolen:
            assert stolen
            time.sleep(0.1)
            assert len(storage.get_all_trials(number)) == 1
            assert not locks.holds("trial 0")
        assert locks.holds("trial 0")
