"""What `tuning.Claims` and Optuna take for a trial that does nothing: 64 processes on one study in PostgreSQL.

The first row is the wall time of all trials over their number, in units of 0.2 s; the second the median time that a
worker waits until it has a trial that no other has, before the sampler draws its values, in units of 0.3 s; the third
the most connections that the server had at a time, of 100. Of `times`, `ask` is that wait with the drawing, `tell` the
end of a trial. The server is one of its own, with the defaults of PostgreSQL, and shares the machine with the workers.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learnsym.tuning import TuningStudy
    from tests.postgres_cluster import Server

WORKERS, TRIALS = 64, 640
TRIAL, WAIT = 0.2, 0.3
"""Targets: seconds of a trial, and of the wait for one."""
CONNECTIONS = 100
"""What PostgreSQL allows by default."""


@dataclass(frozen=True)
class Spent:
    """Seconds that one trial took here: until it was there, until it had its values, and to end it."""

    wait: float
    ask: float
    tell: float


@dataclass(frozen=True)
class Measured:
    """Some workers on one study.

    Args:
        wall: seconds that all trials took.
        spent: on each trial.
        connections: the most that the server had.
        workers: seconds of processors that the workers had.
        server: the same of the server.
    """

    wall: float
    spent: list[Spent]
    connections: int
    workers: float
    server: float


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Three rows; none without PostgreSQL."""
    from tests.postgres_cluster import NoServer, postgres_server

    settings = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    try:
        with postgres_server(max_connections=str(CONNECTIONS), **settings) as own:
            return _rows(measured(own, WORKERS, TRIALS))
    except NoServer as error:
        print(f"left out: {error}", file=sys.stderr)
        return []


def _rows(found: Measured) -> list[dict[str, Any]]:
    what = f"{WORKERS} workers, {TRIALS} trials that do nothing, PostgreSQL"
    ask, tell = (statistics.median(getattr(one, name) for one in found.spent) for name in ("ask", "tell"))
    middle, late = median_and_late([one.wait for one in found.spent])
    trial = found.wall / TRIALS
    times = {"trial": trial, "ask": ask, "tell": tell}
    used = {"processor of workers": found.workers / TRIALS, "processor of the server": found.server / TRIALS}
    waits = {"wait": middle, "wait of 95 %": late}
    return [
        {"name": f"{what}, time of a trial / {TRIAL} s", "ratio": trial / TRIAL, "target": 1.0, "times": times | used},
        {"name": f"{what}, wait for a trial / {WAIT} s", "ratio": middle / WAIT, "target": 1.0, "times": waits},
        {"name": f"{what}, connections / {CONNECTIONS}", "ratio": found.connections / CONNECTIONS, "target": 1.0},
    ]


def median_and_late(seconds: list[float]) -> tuple[float, float]:
    """The median, and what 95 % do not exceed."""
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def measured(server: Server, count: int, total: int) -> Measured:
    """Let processes work on trials that do nothing.

    Args:
        server: on which the study lies.
        count: processes that work on it.
        total: trials.
    """
    url = server.create(f"study {count}")
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(count + 1)
    with tempfile.TemporaryDirectory() as folder:
        study = open_noop_study(url, Path(folder))
        pipes = [context.Pipe(duplex=False) for _ in range(count)]
        workers = [context.Process(target=_worker, args=(study, Path(folder), total, ready, send)) for _, send in pipes]
        for worker, (_, send) in zip(workers, pipes, strict=True):
            worker.start()
            send.close()  # a worker that dies is noticed
        ready.wait(300)
        began, served = time.perf_counter(), server_seconds(server)
        found, connections = _received(server, [receive for receive, _ in pipes])
        wall, served = time.perf_counter() - began, server_seconds(server) - served
        for worker in workers:
            worker.join()
        states = [trial.state.name for trial in study.trials()]
    spent = [one for each, _ in found for one in each]
    assert states == ["COMPLETE"] * total and len(spent) == total
    return Measured(wall, spent, connections, sum(seconds for _, seconds in found), served)


def server_seconds(server: Server) -> float:
    """What the processes of a server have had of the processors, those that have ended included."""
    assert server.process is not None
    own, ticks = str(server.process.pid), 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if path.parent.name == own:
                ticks += sum(map(int, fields[11:15]))  # with its children that have ended
            elif fields[1] == own:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _received(server: Server, pipes: list[Connection]) -> tuple[list[tuple[list[Spent], float]], int]:
    """What the workers send at their ends, and the most connections until then."""
    import psycopg

    found, most, left = [], 0, list(pipes)
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        while left:
            (now,) = connection.execute(count).fetchall()[0]
            most = max(most, now)
            for pipe in wait(left, timeout=1.0):
                assert isinstance(pipe, Connection)
                found.append(pipe.recv())
                left.remove(pipe)
    return found, most


def open_noop_study(url: str, folder: Path) -> TuningStudy:
    """A study of two keys whose trials are never trained."""
    from learnsym.training import RunConfig
    from learnsym.tuning import Choices, Range, SearchSpace, open_study
    from learnsym.workers import locks_for

    parameters = {"optimiser.lr": Range(low=1e-4, high=1e-1, log=True), "net.norm": Choices(values=("none", "batch"))}
    space = SearchSpace(parameters=parameters)
    return open_study("nothing", url, RunConfig(), space, locks_for(url, folder, "nothing"))


def noop_trials(study: TuningStudy, folder: Path, total: int) -> list[Spent]:
    """Work on trials until all have ended; returns what each took here."""
    from learnsym.tuning.claims import BUSY, OVER, Claims

    claims, spent, state = Claims(study, total, folder), [], BUSY
    while state != OVER:
        began = time.perf_counter()
        with claims.next() as (state, claim):
            if claim is None:
                time.sleep(0.5 if state == BUSY else 0.0)
                continue
            asked = time.perf_counter()
            claim.complete([1.0])
        spent.append(Spent(claim.waited, asked - began, time.perf_counter() - asked))
    return spent


def _worker(study: TuningStudy, folder: Path, total: int, ready: Barrier, send: Connection) -> None:
    study.trials()  # connects
    ready.wait(300)
    began = time.process_time()
    spent = noop_trials(study, folder, total)
    send.send((spent, time.process_time() - began))
