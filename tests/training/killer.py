"""Train in child processes, killing each at a random moment of a random step, then to the end; run by test_resume.

Children are forked, so that each starts at once instead of importing torch.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import torch

from learnsym.training import build, loop, read_config, train


def child(config, out, ready):
    original = loop.seed_step

    def seed_step(seed, step, device):
        os.write(ready, b"x")
        original(seed, step, device)

    loop.seed_step = seed_step
    try:
        train(config, out)
    finally:
        os._exit(0)


def main():
    config, out, kills = read_config(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    build(config)  # imports what children need, as does the optimiser
    torch.optim.AdamW([torch.zeros(1)])
    rng = random.Random(0)
    for _ in range(kills):
        listen, ready = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(config, out, ready)
        os.close(ready)
        for _ in range(rng.randint(1, int(sys.argv[4]))):
            os.read(listen, 1)
        time.sleep(rng.uniform(0.0, 0.005))
        os.kill(pid, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(pid, 0)[1]):
            sys.exit("finished before the kill; give more steps")
        os.close(listen)
    train(config, out)
    train(config, out + "-whole")


if __name__ == "__main__":
    main()
