"""Train in child processes, killing each at a random moment; run by test_resume.

Children are forked, so that each starts at once instead of importing torch.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import torch

from learnsym.training import find_runs, read_config, train


def child(config, out, ready):
    os.write(ready, b"x")
    try:
        train(config, out)
    finally:
        os._exit(0 if find_runs(out)[0].is_finished else 1)


def main():
    config, out, kills = read_config(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    rng = random.Random(0)
    for _ in range(kills):
        listen, ready = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(config, out, ready)
        os.read(listen, 1)
        time.sleep(rng.uniform(0.0, 0.6))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    print(f"killed {kills}")


main()
