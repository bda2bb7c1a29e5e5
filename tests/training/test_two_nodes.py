"""Law of several machines: two commands that meet by static rendezvous train one run, also when one machine dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest
import torch
from test_elastic import ranks_below, wait_for

from learnsym.training import Run, dump_config, train

ADDRESSES = ("127.0.0.1", "127.0.0.2")
"""Of the two machines, both of which are this one."""


@pytest.fixture
def nodes(tmp_path):
    """Starts the command of one machine, in a session of its own; what it says is in `log NODE`."""
    with socket.socket() as s:
        s.bind((ADDRESSES[0], 0))
        port, started = str(s.getsockname()[1]), []

    def start(node, restarts="0"):
        command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", str(node)]
        command += ["--nproc-per-node", "1", "--master-addr", ADDRESSES[0], "--master-port", port]
        command += ["--local-addr", ADDRESSES[node], "--max-restarts", restarts]
        command += ["-m", "learnsym", "train", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "run")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with open(tmp_path / f"log {node}", "ab") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            die(process)


def die(process):
    """A machine goes down: its launcher and its training processes, at once."""
    own = [process.pid, *ranks_below(process.pid).values()]
    for pid in own:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def check(config, tmp_path, steps, **close):
    (whole,) = train(config, tmp_path / "whole")
    run = Run(tmp_path / "run")
    assert run.is_finished
    assert [record["step"] for record in run.metrics() if record["split"] == "train"] == list(range(1, steps + 1))
    for name, value in whole.weights().items():
        torch.testing.assert_close(run.weights()[name], value, **close)


def said(tmp_path):
    return [(tmp_path / f"log {node}").read_text() for node in range(2)]


@pytest.mark.slow
def test_two_machines_are_one(tiny, nodes, tmp_path):
    (tmp_path / "config.yaml").write_text(dump_config(tiny))
    processes = [nodes(node) for node in range(2)]
    assert [process.wait(240) for process in processes] == [0, 0], said(tmp_path)
    check(tiny, tmp_path, 12, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_a_machine_that_dies_may_come_back(tiny, with_train, nodes, tmp_path):
    """The other one starts its process again, which waits for the machine and continues from the checkpoint."""
    config = with_train(tiny, steps=400, checkpoint_every=5)
    (tmp_path / "config.yaml").write_text(dump_config(config))
    first, second = nodes(0, "3"), nodes(1, "3")
    wait_for(lambda: (tmp_path / "run" / "state.pt").exists())
    before = ranks_below(first.pid)[0]
    die(second)
    wait_for(lambda: ranks_below(first.pid).get(0, before) != before)
    again = nodes(1, "3")
    assert [process.wait(240) for process in (first, again)] == [0, 0], said(tmp_path)
    assert "resuming at step" in said(tmp_path)[0]
    check(config, tmp_path, 400, atol=2e-3, rtol=2e-3)


@pytest.mark.slow
def test_the_first_machine_may_die(tiny, with_train, nodes, tmp_path):
    """What meets on it ends, too; the same two commands continue."""
    config = with_train(tiny, steps=400, checkpoint_every=5)
    (tmp_path / "config.yaml").write_text(dump_config(config))
    first, second = nodes(0), nodes(1)
    wait_for(lambda: (tmp_path / "run" / "state.pt").exists())
    die(first)
    assert second.wait(240) != 0
    processes = [nodes(node) for node in range(2)]
    assert [process.wait(240) for process in processes] == [0, 0], said(tmp_path)
    check(config, tmp_path, 400, atol=2e-3, rtol=2e-3)
