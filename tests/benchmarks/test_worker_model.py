"""Laws of the simulation of workers: those of queues whose answers are known."""

from __future__ import annotations

import heapq

import pytest

pytest.importorskip("optuna")

from benchmarks.worker_model import SERVER, Demand, Processors, Simulation, ceiling, grown


def demand(lock=0.0, server=0.0, worker=0.0, server_each=0.0, worker_each=0.0):
    return Demand(lock, server, worker, server_each, worker_each)


def test_processors_share_their_time_evenly():
    """Two jobs of 1 s and one of 3 s on two processors: rate 2/3 until 1.5 s, then alone."""
    pool, ended = Processors(2), []
    for name, seconds in (("a", 1.0), ("b", 1.0), ("c", 3.0)):
        pool.begin(seconds, lambda name=name: ended.append(name))
    times = []
    while pool.jobs:
        times.append(pool.next_end())
        pool.to(times[-1])

        heapq.heappop(pool.jobs)[2]()
    assert ended == ["a", "b", "c"] and times == pytest.approx([1.5, 1.5, 3.5])


def test_one_worker_waits_for_nobody():
    rate, waits = Simulation(demand(0.01, 0.02, 0.07), 1, 2).run(50)
    assert rate == pytest.approx(10.0) and waits == pytest.approx([0.01] * 50)


def test_a_lock_that_is_all_gives_its_turns_in_order():
    """`n` workers that need the lock alone wait for `n` turns each."""
    rate, waits = Simulation(demand(0.01), 5, 2).run(100, skipped=5)
    assert rate == pytest.approx(100.0) and waits == pytest.approx([0.05] * 100)


def test_workers_on_two_processors_have_two_seconds_a_second():
    rate, _ = Simulation(demand(worker=0.1), 8, 2, shared=True).run(400, skipped=8)
    assert rate == pytest.approx(20.0, rel=0.02)
    own, _ = Simulation(demand(worker=0.1), 8, 2).run(400, skipped=8)
    assert own == pytest.approx(80.0, rel=0.02)


def test_reading_grows_with_the_workers():
    assert ceiling(demand(1e-6, server=0.01, server_each=0.001), 11, 1) == pytest.approx(50.0)
    rate, _ = Simulation(demand(1e-6, server=0.01, server_each=0.001), 11, 1).run(400, skipped=11)
    assert rate == pytest.approx(50.0, rel=0.02)


@pytest.mark.parametrize("workers", [4, 40])
def test_no_simulation_exceeds_the_ceiling(workers):
    asked = demand(0.01, 0.02, 0.05, 0.0005, 0.001)
    rate, waits = Simulation(asked, workers, 2, seconds=0.1).run(20 * workers, skipped=workers)
    assert rate <= 1.02 * min(ceiling(asked, workers, 2), workers / (0.1 * 0.5))
    assert min(waits) >= 0.01 - 1e-12


def test_what_a_trial_costs_grows_as_its_reading_does():
    """Nobody waits for a worker's own processor, so that each trial costs what it asks for."""
    sizes = [8, 32, 128]
    row = grown(demand(1e-9, worker=0.03, worker_each=0.01), sizes)
    assert list(row["seconds"].values()) == pytest.approx([0.03 + 0.01 * (count - 1) for count in sizes], rel=1e-5)
    assert 0.8 < row["exponent"] < row["at the end"] < 1


def test_a_full_server_makes_trials_wait_longer_than_their_reading():
    full = grown(demand(1e-9, server=0.1, server_each=1.0), [32, 128, 512])["seconds"]
    assert full["512"] > 2 * (0.1 + 511) / SERVER
