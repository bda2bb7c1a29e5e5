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


def launched(config, folder, restarts):
    """Two processes that train in `folder / "run"`; what they say is in `folder / "log"`."""
    (folder / "config.yaml").write_text(dump_config(config))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", restarts]
    command += ["--master-port", port, "-m", "learnsym", "train", str(folder / "config.yaml"), "--out"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with open(folder / "log", "wb") as log:
        return subprocess.Popen([*command, str(folder / "run")], env=environment, stdout=log, stderr=log)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_the_others_name_a_killed_rank(tiny, with_train, tmp_path, rank):
    process = launched(with_train(tiny, steps=5000, checkpoint_every=5), tmp_path, "0")
    wait_for(lambda: (tmp_path / "run" / "state.pt").exists())
    os.kill(ranks_below(process.pid)[rank], signal.SIGKILL)
    assert process.wait(240) == 1
    own = (tmp_path / "log").read_text().partition("failed (exitcode")[0]  # what follows is of torchrun
    (said,) = [line for line in own.splitlines() if line.startswith("learnsym: ")]
    assert f"rank {1 - rank} stops, since rank {rank} has ended (killed, or out of memory)" in said
    assert "Traceback" not in own
    assert not list((tmp_path / "run").glob("*.tmp")) and Run(tmp_path / "run").state() is not None


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_is_started_again(tiny, with_train, tmp_path, rank):
    config = with_train(tiny, steps=400, checkpoint_every=5)
    process = launched(config, tmp_path, "2")
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
