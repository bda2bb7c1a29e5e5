"""Workers on one comparison, of which random ones are killed; run by test_work.

Workers are forked, so that each starts at once instead of importing torch.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from learnsym.comparison import Plan, read_comparison, work
from learnsym.comparison.plan import keep
from learnsym.training import build
from learnsym.workers import locks_for


def worker(plan, folder, storage):
    pid = os.fork()
    if pid == 0:
        try:
            work(plan, folder, locks_for(storage, folder, "test"))
            os._exit(0)
        except BaseException as error:
            os.write(2, f"worker: {error!r}\n".encode())
            os._exit(1)
    return pid


def main():
    config, folder, storage = read_comparison(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] or None
    count, kills, pause = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
    torch.set_num_threads(1)
    plan = Plan.of(config)
    keep(plan, folder, locks_for(storage, folder, "test"))
    build(plan.cells[0].config)  # imports what workers need, as does the optimiser
    torch.optim.AdamW([torch.zeros(1)])
    rng, alive = random.Random(0), [worker(plan, folder, storage) for _ in range(count)]
    for _ in range(kills):
        time.sleep(rng.uniform(0.2, 1.0) * pause)
        victim = alive.pop(rng.randrange(count))
        os.kill(victim, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(victim, 0)[1]):
            sys.exit("all cells ended before the last kill; give more cells")
        alive.append(worker(plan, folder, storage))
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in alive]
    sys.exit(0 if not any(codes) else f"workers ended with {codes}")


if __name__ == "__main__":
    main()
