"""Tune with several workers, killing one of them at random again and again; run by test_killed_workers.

CONFIG SPACE STORAGE OUT TRIALS WORKERS KILLS. Workers are forked, so that each starts at once instead of
importing torch.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time

import torch
from noop_worker import forked

from learnsym.training import build, loop, read_config
from learnsym.tuning import open_study, read_space, tune
from learnsym.workers import locks_for


class Worker:
    """A forked worker that tells of each step of its trainings."""

    def __init__(self, work):
        self.steps, tell = os.pipe()
        original = loop.seed_step

        def seed_step(*arguments):
            os.write(tell, b"x")
            original(*arguments)

        def begin():
            loop.seed_step = seed_step
            work()

        self.pid = forked(begin)
        os.close(tell)

    def drain(self):
        """Forget the steps so far; returns whether there may be more."""
        os.set_blocking(self.steps, False)
        try:
            while os.read(self.steps, 1 << 16):
                pass
        except BlockingIOError:
            return True
        return False

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(self.pid, 0)[1]):
            sys.exit("ended before the kill; give more trials")
        os.close(self.steps)


def one_in_training(workers, rng):
    """The place of a worker that has just made a step."""
    left = {worker.steps: k for k, worker in enumerate(workers) if worker.drain()}
    if not left:
        sys.exit("ended before the kill; give more trials")
    stepped, _, _ = select.select(list(left), [], [])
    return left[rng.choice(stepped)]


def main():
    config = read_config(sys.argv[1])
    space, (storage, out) = read_space(sys.argv[2], config), sys.argv[3:5]
    trials, workers, kills = map(int, sys.argv[5:])
    torch.set_num_threads(1)
    build(config)  # imports what workers need, as does the optimiser
    torch.optim.AdamW([torch.zeros(1)])

    def work():
        tune(open_study("study", storage, config, space, locks_for(storage, out, "study")), trials, out)

    rng, all_workers = random.Random(0), [Worker(work) for _ in range(workers)]
    for _ in range(kills):
        index = one_in_training(all_workers, rng)
        time.sleep(rng.uniform(0.0, 0.3))
        all_workers[index].kill()
        all_workers[index] = Worker(work)
    codes = [os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1]) for worker in all_workers]
    sys.exit(f"codes {codes}" if any(codes) else 0)


if __name__ == "__main__":
    main()
