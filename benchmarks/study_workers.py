"""What `tuning.Claims` and Optuna take for a trial that does nothing: 64 processes on one study in PostgreSQL.

`ratio` is the wall time of all trials over their number, in units of 0.2 s; of `times`, `trial` is that wall time for
one trial, `ask and tell` the median time that a worker waits for a trial and for its end. The server is one of its own,
with the defaults of PostgreSQL but for the number of connections, and shares the machine with the workers.
"""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learnsym.tuning import TuningStudy

WORKERS, TRIALS = 64, 640
LIMIT = 0.2


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One row; none without PostgreSQL."""
    from tests.postgres_cluster import NoServer, postgres_server

    try:
        with postgres_server(max_connections="200", fsync="on", synchronous_commit="on", full_page_writes="on") as own:
            return [_row(own.create("study"))]
    except NoServer as error:
        print(f"left out: {error}", file=sys.stderr)
        return []


def _row(url: str) -> dict[str, Any]:
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(WORKERS + 1)
    with tempfile.TemporaryDirectory() as folder:
        open_noop_study(url, Path(folder))  # imports what the workers need, and makes the tables
        pipes = [context.Pipe(duplex=False) for _ in range(WORKERS)]
        workers = [context.Process(target=_worker, args=(url, Path(folder), ready, send)) for _, send in pipes]
        for worker, (_, send) in zip(workers, pipes, strict=True):
            worker.start()
            send.close()  # a worker that dies is noticed
        ready.wait(300)
        began = time.perf_counter()
        found = [receive.recv() for receive, _ in pipes]
        wall = time.perf_counter() - began
        for worker in workers:
            worker.join()
        states = [trial.state.name for trial in open_noop_study(url, Path(folder)).trials()]
    assert states == ["COMPLETE"] * TRIALS and sum(map(len, found)) == TRIALS
    times = {"trial": wall / TRIALS, "ask and tell": statistics.median(itertools.chain(*found))}
    return {
        "name": f"{WORKERS} workers, {TRIALS} trials that do nothing, PostgreSQL, time of a trial / {LIMIT} s",
        "ratio": times["trial"] / LIMIT,
        "target": 1.0,
        "times": times,
    }


def open_noop_study(url: str, folder: Path) -> TuningStudy:
    """A study of two keys whose trials are never trained."""
    from learnsym.training import RunConfig
    from learnsym.tuning import Choices, Range, SearchSpace, open_study
    from learnsym.workers import locks_for

    parameters = {"optimiser.lr": Range(low=1e-4, high=1e-1, log=True), "net.norm": Choices(values=("none", "batch"))}
    space = SearchSpace(parameters=parameters)
    return open_study("nothing", url, RunConfig(), space, locks_for(url, folder, "nothing"))


def noop_trials(study: TuningStudy, folder: Path, total: int) -> list[float]:
    """Work on trials until all have ended; returns the time that each took here."""
    from learnsym.tuning.claims import BUSY, OVER, Claims

    claims, times, state = Claims(study, total, folder), [], BUSY
    while state != OVER:
        began = time.perf_counter()
        with claims.next() as (state, claim):
            if claim is not None:
                claim.complete([claim.values["optimiser.lr"]])
        if claim is not None:
            times.append(time.perf_counter() - began)
        elif state == BUSY:
            time.sleep(0.5)
    return times


def _worker(url: str, folder: Path, ready: Barrier, send: Connection) -> None:
    study = open_noop_study(url, folder)
    study.trials()
    ready.wait(300)
    send.send(noop_trials(study, folder, TRIALS))
