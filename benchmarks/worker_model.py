"""How many workers one study in PostgreSQL can have: a simulation with measured service times, beside real workers.

A trial is a cycle of four stages: making it, for which the server locks the study; reading what other trials gave, on
the server; drawing values and speaking, on the worker's processor; and the training itself. Reading grows with the
trials that ended since the worker last looked, which are as many as there are workers. The demands are measured with
one worker, and the growth with a reader of all trials. The lock is held for a time that does not depend on who else
computes: it is the server alone that holds it, for a message, and what has slept is served first.

    python -m benchmarks.worker_model [--real 16 32 64 128] [--out FILE.json]

How what a trial costs beside its training grows with the workers goes to `--out`, for the table of `benchmarks.growth`.

On one machine, as where it is checked, workers and server share the processors; in the table of predictions each worker
has a processor of its own, and the server has as many as `SERVER`.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.__main__ import machine
from benchmarks.growth import growth
from benchmarks.study_workers import measured, median_and_late, noop_trials, open_noop_study, server_seconds

if TYPE_CHECKING:
    from tests.postgres_cluster import Server

SERVER, SECONDS = 4, 60.0
"""Processors of the server, and seconds of a trial, in the predictions."""
REAL, SIMULATED = 4, 10
"""Trials of each worker, real ones and in the predictions."""
READINGS = 5
ALONE = 60
"""Trials of the worker whose demands are measured, after as many."""


@dataclass(frozen=True)
class Demand:
    """What a trial asks for, in seconds.

    Args:
        lock: for which the study is locked.
        server: of a processor of the server.
        worker: of the worker.
        server_each: of the server, for each trial of another that is read.
        worker_each: of the worker, for the same.
    """

    lock: float
    server: float
    worker: float
    server_each: float
    worker_each: float


class Processors:
    """Equal processors that share their time evenly among all jobs.

    With `n` jobs on `c` processors each job is served at the rate min(1, c / n), so that all have been given the same
    time `shared` since any moment, and the next to end is the one whose demand is met first.

    Args:
        count: of processors.
    """

    def __init__(self, count: float) -> None:
        self.count, self.now, self.shared = count, 0.0, 0.0
        self.jobs: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def _rate(self) -> float:
        return min(1.0, self.count / len(self.jobs))

    def to(self, now: float) -> None:
        """Serve until a moment."""
        self.shared += self._rate() * (now - self.now) if self.jobs else 0.0
        self.now = now

    def begin(self, demand: float, ended: Callable[[], None]) -> None:
        """Add a job at this moment; `ended` is called at its end."""
        heapq.heappush(self.jobs, (self.shared + demand, next(self._order), ended))

    def next_end(self) -> float:
        """When the next job ends, if none is added; infinite where there is none."""
        return self.now + max(0.0, self.jobs[0][0] - self.shared) / self._rate() if self.jobs else float("inf")


class Simulation:
    """Workers on one study.

    Args:
        demand: of a trial.
        workers: their number.
        server: processors of the server.
        shared: whether the workers have those of the server and no others.
        seconds: of a trial, spread exponentially; 0 for trials that do nothing.
        seed: of the times of trials.
    """

    def __init__(
        self, demand: Demand, workers: int, server: float, *, shared: bool = False, seconds: float = 0.0, seed: int = 0
    ) -> None:
        self.demand, self.workers, self.seconds = demand, workers, seconds
        self.server = Processors(server)
        self.own = self.server if shared else Processors(workers)
        self.asleep: list[tuple[float, int, Callable[[], None]]] = []
        self.queue: deque[float] = deque()
        self.locked = False
        self.waits: list[float] = []
        self.before: list[float] = []
        self.ends: list[float] = []
        self._random, self._order, self.now = random.Random(seed), itertools.count(), 0.0

    def run(self, trials: int, skipped: int = 0) -> tuple[float, list[float]]:
        """Trials per second and the wait of each for its lock, after some that are left out.

        `before` has the seconds of each between its asking and its training.
        """
        for _ in range(self.workers):
            self._sleep(self.seconds * self._random.random(), self._ask)
        while len(self.ends) < trials + skipped:
            self._advance()
        span = self.ends[-1] - (self.ends[skipped - 1] if skipped else 0.0)
        return trials / span, self.waits[skipped : trials + skipped]

    def _advance(self) -> None:
        pools = {id(pool): pool for pool in (self.server, self.own)}.values()
        ends = [(pool.next_end(), pool.jobs) for pool in pools]
        if self.asleep:
            ends.append((self.asleep[0][0], self.asleep))
        self.now, jobs = min(ends, key=lambda end: end[0])
        for pool in pools:
            pool.to(self.now)
        heapq.heappop(jobs)[2]()

    def _sleep(self, seconds: float, then: Callable[[], None]) -> None:
        heapq.heappush(self.asleep, (self.now + seconds, next(self._order), then))

    def _ask(self) -> None:
        self.queue.append(self.now)
        self._serve_lock()

    def _serve_lock(self) -> None:
        if self.locked or not self.queue:
            return
        self.locked = True
        asked = self.queue.popleft()
        self._sleep(self.demand.lock, lambda: self._has_trial(asked))

    def _has_trial(self, asked: float) -> None:
        self.locked = False
        self.waits.append(self.now - asked)
        read = self.workers - 1
        here = self.demand.worker + read * self.demand.worker_each
        there = self.demand.server + read * self.demand.server_each
        self.server.begin(there, lambda: self.own.begin(here, lambda: self._train(asked)))
        self._serve_lock()

    def _train(self, asked: float) -> None:
        self.before.append(self.now - asked)
        self._sleep(self._random.expovariate(1 / self.seconds) if self.seconds else 0.0, self._end)

    def _end(self) -> None:
        self.ends.append(self.now)
        self._ask()


def ceiling(demand: Demand, workers: int, server: float) -> float:
    """Trials per second that no number of processors of workers can exceed: of the lock, and of the server."""
    whole = demand.server + (workers - 1) * demand.server_each
    return min(1 / demand.lock, server / whole)


def measured_demand(server: Server) -> Demand:
    """What one worker asks for, and what it asks for beside when it reads the trials of others."""
    with tempfile.TemporaryDirectory() as folder:
        study = open_noop_study(server.create("demand"), Path(folder))
        noop_trials(study, Path(folder), ALONE)
        before = _used(server)
        spent = noop_trials(study, Path(folder), 2 * ALONE)
        worker, there = ((now - then) / ALONE for now, then in zip(_used(server), before, strict=True))
        before = _used(server)
        for _ in range(READINGS):
            study.backend._backend.get_all_trials(study.id, deepcopy=False)  # type: ignore[attr-defined]  not cached
        reading = [(now - then) / READINGS / (2 * ALONE) for now, then in zip(_used(server), before, strict=True)]
    lock = statistics.quantiles([one.wait for one in spent], n=10)[0]  # with little else going on
    return Demand(lock, there, worker, server_each=reading[1], worker_each=reading[0])


def _used(server: Server) -> tuple[float, float]:
    """Seconds of processors of this process, and of the server."""
    return time.process_time(), server_seconds(server)


def check(server: Server, demand: Demand, workers: int) -> str:
    """A line about real workers, and about simulated ones on as many processors as those had."""
    total = REAL * workers
    real = measured(server, workers, total)
    processors = (real.workers + real.server) / real.wall
    rate, waits = Simulation(demand, workers, processors, shared=True).run(total)
    (middle, late), (simulated, latest) = median_and_late([one.wait for one in real.spent]), median_and_late(waits)
    return (
        f"{workers:7d} {processors:10.2f} {total / real.wall:9.2f} {rate:9.2f} {1e3 * middle:8.0f} "
        f"{1e3 * simulated:9.0f} {1e3 * late:8.0f} {1e3 * latest:9.0f}"
    )


def predicted(demand: Demand, workers: int) -> str:
    """A line about simulated workers with trials of a minute."""
    rate, waits = Simulation(demand, workers, SERVER, seconds=SECONDS).run(SIMULATED * workers, skipped=workers)
    middle, late = median_and_late(waits)
    return (
        f"{workers:7d} {ceiling(demand, workers, SERVER):10.1f} {workers / SECONDS:9.2f} {rate:9.2f} "
        f"{1e3 * middle:8.1f} {1e3 * late:9.1f}"
    )


def grown(demand: Demand, workers: Sequence[int]) -> dict[str, Any]:
    """A row of the table of growth: what a trial costs beside its training, while the server is not full."""
    seconds = []
    for count in workers:
        simulation = Simulation(demand, count, SERVER, seconds=SECONDS)
        simulation.run(SIMULATED * count, skipped=count)
        seconds.append(statistics.fmean(simulation.before[count:]))
    reason = f"each reads what the trials of the others gave; demands measured, trials of {SECONDS:g} s simulated"
    return {"name": "a trial of a study, beside its training", "axis": "workers"} | growth(workers, seconds, 1, reason)


def main(arguments: Sequence[str] | None = None) -> None:
    from tests.postgres_cluster import postgres_server

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.worker_model", description="Workers on one study: simulated beside real ones."
    )
    parser.add_argument("--real", type=int, nargs="*", default=[16, 32, 64, 128], help="numbers of real workers")
    parser.add_argument("--workers", type=int, nargs="*", default=[16, 64, 256, 1000, 4000], help="simulated ones")
    parser.add_argument("--grown", type=int, nargs="+", default=[16, 64, 256, 1000], help="those of the exponent")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="where the exponent goes")
    options = parser.parse_args(arguments)
    settings = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    with postgres_server(max_connections=str(max([0, *options.real]) + 20), **settings) as server:
        demand = measured_demand(server)
        print("ms of a trial: " + ", ".join(f"{name} {1e3 * value:.3g}" for name, value in asdict(demand).items()))
        print("trials that do nothing, workers and server on the same processors: real, simulated")
        print("workers processors  trials/s simulated  wait ms simulated  95 % ms simulated")
        for count in options.real:
            print(check(server, demand, count), flush=True)
    print(f"trials of {SECONDS:g} s, a processor for each worker, {SERVER} for the server: simulated")
    print("workers    ceiling   no wait  trials/s  wait ms   95 % ms")
    for count in options.workers:
        print(predicted(demand, count), flush=True)
    row = grown(demand, options.grown)
    print(f"exponent of {row['name']} in workers: {row['exponent']:.2f} [{row['low']:.2f}, {row['high']:.2f}]")
    if options.out is not None:
        content = {"machine": machine("cpu"), "demand": asdict(demand), "results": [row]}
        options.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
