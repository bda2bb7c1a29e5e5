"""Data parallelism of every method with every chooser: two processes have the losses of one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from learnsym.data import Batches
from learnsym.methods import registry
from learnsym.training import build, distributed, fit
from tests.methods.conftest import WORKING, tiny

ROOT = Path(__file__).resolve().parents[2]


def losses(method: str, chooser: str) -> list[float]:
    """Of three steps, in one process or as one of several."""
    config = tiny(method, chooser)
    # several candidates divide the part of a process, and look at other examples than in the whole
    if method == "remul":
        config = replace(config, method=registry[method](symmetries=["so3"]))
    model, objective, splits = build(config)
    batches = Batches(splits.train, 8, 0, "cpu", distributed.rank(), distributed.world())
    return fit(model, objective, batches, steps=3).losses


@pytest.fixture(scope="module")
def of_two(tmp_path_factory) -> dict[str, list[float]]:
    """The losses of all pairs, from two processes that train one after the other."""
    out = tmp_path_factory.mktemp("two") / "losses.json"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command += ["-m", "tests.methods.test_two_processes", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


ALONE = {"marginal_likelihood", "implicit"}
"""Choosers that are refused in several processes."""
TOGETHER = [pair for pair in WORKING if not ALONE & set(pair)]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "chooser"), TOGETHER)
def test_two_processes_have_the_losses_of_one(of_two, method, chooser):
    assert of_two[f"{method} {chooser}"] == pytest.approx(losses(method, chooser), rel=1e-4)


def main() -> None:
    with distributed.session(distributed.pick_device("cpu")):
        found = {f"{method} {chooser}": losses(method, chooser) for method, chooser in TOGETHER}
        if distributed.rank() == 0:
            Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
