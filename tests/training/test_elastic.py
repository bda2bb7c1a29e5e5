"""Law of elastic training: `torchrun --max-restarts` ends with the same weights though a process is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from learnsym.training import Run, dump_config, train


def ranks_below(launcher):
    """Processes that `torchrun` has started, by rank."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            environment = (entry / "environ").read_bytes().split(b"\0")
        except (OSError, IndexError):
            continue
        ranks = [int(value[5:]) for value in environment if value.startswith(b"RANK=")]
        if parent == launcher and ranks:
            found[ranks[0]] = int(entry.name)
    return found


def wait_for(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited for two minutes")


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_is_started_again(tiny, with_train, tmp_path, rank):
    config = with_train(tiny, steps=400, checkpoint_every=5)
    (tmp_path / "config.yaml").write_text(dump_config(config))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "2"]
    command += ["--master-port", port, "-m", "learnsym", "train", str(tmp_path / "config.yaml"), "--out"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([*command, str(tmp_path / "run")], env=environment, stdout=log, stderr=log)
    wait_for(lambda: (tmp_path / "run" / "state.pt").exists())
    first = ranks_below(process.pid)
    os.kill(first[rank], signal.SIGKILL)
    assert process.wait(240) == 0, (tmp_path / "log").read_text()
    said = (tmp_path / "log").read_text()
    assert "resuming at step" in said
    (whole,) = train(config, tmp_path / "whole")
    assert Run(tmp_path / "run").is_finished
    steps = [record["step"] for record in Run(tmp_path / "run").metrics() if record["split"] == "train"]
    assert steps == list(range(1, 401))
    for name, value in whole.weights().items():
        torch.testing.assert_close(Run(tmp_path / "run").weights()[name], value, atol=2e-3, rtol=2e-3)
