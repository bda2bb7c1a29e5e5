"""Law of shards: of examples that stay in their file, each process reads those that it trains on, and no others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from learnsym.data import Batches, Rows, load_splits
from learnsym.data.own import npy
from learnsym.training import read_config

SCRIPT = """
import json, os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from learnsym.data.config import DataConfig
from learnsym.data.own import npy
from learnsym.data.rows import Stretch
from learnsym.methods import registry
from learnsym.nets.config import NetConfig
from learnsym.objectives.choosers import TrainingLoss
from learnsym.training import RunConfig, TrainConfig, train
npy.IN_MEMORY, folder, read, plain = 1000, Path(sys.argv[1]), [], Stretch.read
def counted(self, rows):
    read.append([int(row) for row in rows])
    return plain(self, rows)
Stretch.read = counted
config = RunConfig(
    data=DataConfig(name=str(folder / "x.npy"), val=8, test=8), net=NetConfig(name="mlp", width=8, depth=1),
    method=registry["augerino"](symmetry="rotation2d", test_copies=2), chooser=TrainingLoss(),
    train=TrainConfig(steps=6, batch_size=8, eval_every=6, device="cpu"),
)
train(config, folder / "run")
(folder / f"read {os.environ['RANK']}").write_text(json.dumps(read))
"""


@pytest.mark.slow
def test_each_process_reads_its_own_rows(tmp_path, monkeypatch):
    generator = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", generator.integers(0, 256, (60, 12, 12, 3)).astype(np.uint8))
    np.save(tmp_path / "y.npy", np.arange(60) % 3)
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port]
    done = subprocess.run(
        [*command, str(tmp_path / "script.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    read = [json.loads((tmp_path / f"read {rank}").read_text()) for rank in range(2)]
    monkeypatch.setattr(npy, "IN_MEMORY", 1000)
    splits = load_splits(read_config(tmp_path / "run" / "config.yaml").data)
    assert isinstance(splits.train.x, Rows)
    in_file = splits.train.x._rows
    for rank in range(2):
        batches = Batches(splits.train, 8, 0, rank=rank, world=2)
        trained = [in_file[batches.indices(step)].tolist() for step in range(6)]
        assert all(len(rows) == 4 for rows in trained)
        assert [rows for rows in read[rank] if rows in trained] == trained
        others = set(in_file.tolist()) - {row for rows in trained for row in rows}
        assert not others & {row for rows in read[rank] for row in rows}, "rows of another process"
    assert len(read[1]) == 6, "the second process reads no examples of validation or test"
