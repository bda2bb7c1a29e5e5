"""Laws of claims: each trial is ended once, by one worker, whoever dies."""

from __future__ import annotations

import os
import signal
import time

import pytest
from noop_worker import ended_well, forked, work

from learnsym.tuning import Range, claims, retry_failed
from learnsym.tuning.claims import BUSY, OVER, TAKEN, Claims


@pytest.fixture(params=["journal", "postgres"])
def join(request, begin):
    """Begin or join a study."""
    storage = None if request.param == "journal" else request.getfixturevalue("postgres_database")
    return lambda **space: begin(storage=storage, **space)


def states(study):
    return [trial.state.name for trial in study.trials()]


@pytest.mark.parametrize("workers", [pytest.param(16, marks=pytest.mark.slow), 2])
def test_workers_share_the_trials(join, tmp_path, workers):
    if workers == 16 and "journal" in join().storage:
        pytest.skip("a journal is for a few workers")
    total = 2 * workers

    def one(worker):
        done = work(join(), tmp_path, total)
        (tmp_path / f"done-{worker}").write_text(" ".join(map(str, done)))

    assert ended_well([forked(lambda k=k: one(k)) for k in range(workers)])
    done = [int(number) for path in tmp_path.glob("done-*") for number in path.read_text().split()]
    assert sorted(done) == list(range(total))
    study = join()
    assert states(study) == ["COMPLETE"] * total
    assert all(trial.values[0] == trial.params["optimiser.lr"] for trial in study.trials())


def test_a_trial_has_one_worker(join, tmp_path):
    first, second = Claims(join(), 2, tmp_path), Claims(join(), 2, tmp_path)
    with first.next() as (_, a), second.next() as (state, b):
        assert state == TAKEN and {a.number, b.number} == {0, 1}
        with Claims(join(), 2, tmp_path).next() as (state, claim):
            assert state == BUSY and claim is None
        a.complete([1.0])
        b.fail("reason")
    with first.next() as (state, claim):
        assert state == OVER and claim is None
    assert states(join()) == ["COMPLETE", "FAIL"]
    assert join().trials()[1].user_attrs["failure"] == "reason"


def killed_in_a_trial(join, tmp_path, total):
    """A worker that is killed while it holds a trial."""
    listen, ready = os.pipe()

    def hold():
        with Claims(join(), total, tmp_path).next() as (_, claim):
            os.write(ready, bytes([claim.number]))
            time.sleep(60)

    pid = forked(hold)
    number = os.read(listen, 1)[0]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return number


def test_the_trial_of_a_dead_worker_goes_on(join, tmp_path):
    number = killed_in_a_trial(join, tmp_path, 2)
    values = join().trials()[number].params
    with Claims(join(), 2, tmp_path).next() as (_, claim):
        assert claim.number == number and claim.values == values
        assert join().trials()[number].user_attrs["deaths"] == 1
        claim.complete([1.0])
    assert work(join(), tmp_path, 2) == [1]
    assert states(join()) == ["COMPLETE"] * 2


@pytest.mark.slow
def test_a_trial_that_kills_is_given_up(join, tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "MOST_DEATHS", 3)
    for _ in range(3):
        assert killed_in_a_trial(join, tmp_path, 2) == 0
    assert work(join(), tmp_path, 2) == [1]
    assert states(join()) == ["FAIL", "COMPLETE"]
    assert "died 3 times" in join().trials()[0].user_attrs["failure"]


def test_a_worker_that_stops_on_purpose_has_not_died(join, tmp_path):
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt), Claims(join(), 1, tmp_path).next():
            raise KeyboardInterrupt
    assert join().trials()[0].user_attrs["deaths"] == 0
    assert work(join(), tmp_path, 1) == [0]


def test_queued_trials_count(join, tmp_path):
    study = join()
    study.optuna.enqueue_trial({"optimiser.lr": 0.05})
    assert sorted(work(study, tmp_path, 2)) == [0, 1]
    assert study.trials()[0].params == {"optimiser.lr": 0.05}


def test_a_study_can_grow(join, tmp_path):
    assert work(join(), tmp_path, 2) == [0, 1]
    assert work(join(), tmp_path, 2) == []
    assert work(join(), tmp_path, 3) == [2]


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_one_worker_finds_the_same_again(begin, tmp_path, sampler):
    pytest.importorskip({"tpe": "optuna"}.get(sampler, sampler))
    parameters = {key: Range(low=1e-4, high=1e-1, log=True) for key in ("optimiser.lr", "method.weight")}
    found = []
    for name in ("a", "b"):
        study = begin(name, sampler=sampler, parameters=parameters)
        work(study, tmp_path / name, 12)
        found.append([trial.params for trial in study.trials()])
    assert found[0] == found[1]
    assert len({trial["optimiser.lr"] for trial in found[0]}) == 12


def test_what_was_lost_is_not_told(postgres, postgres_database, begin, tmp_path):
    """A worker that was cut off, and whose trial another has taken, ends nothing."""
    cut_off, other = begin(storage=postgres_database), begin(storage=postgres_database)
    with Claims(cut_off, 1, tmp_path / "a").next() as (_, claim):
        name = postgres_database.rpartition("/")[2]
        postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with Claims(begin(storage=postgres_database), 1, tmp_path / "b").next() as (state, again):
            assert state == TAKEN
            claim.complete([1.0])
            assert states(other) == ["RUNNING"]
            again.complete([2.0])
    assert [trial.values for trial in other.trials()] == [[2.0]]


def test_failed_trials_are_trained_again_once(begin, tmp_path):
    study = begin()
    with Claims(study, 2, tmp_path).next() as (_, claim):
        values = claim.values
        claim.fail("its worker died")
    assert work(study, tmp_path, 2) == [1]
    assert [retry_failed(begin()), retry_failed(begin())] == [1, 0]
    assert work(begin(), tmp_path, 2) == [2]
    assert states(study) == ["FAIL", "COMPLETE", "COMPLETE"] and study.trials()[2].params == values
