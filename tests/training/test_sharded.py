"""Law of shards: a network divided among two processes trains as a whole one does, and is saved whole."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from learnsym.methods import registry
from learnsym.nets.config import NetConfig
from learnsym.objectives.choosers import registry as choosers
from learnsym.training import Run, dump_config, fit, train

FACTORY = """
import torch
from torch import nn

class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, 24, 4, 4)
        self.positions = nn.Parameter(0.02 * torch.randn(4, 24))
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(24, 2, 48, dropout=0.0, batch_first=True, norm_first=True, bias=False)
            for _ in range(2)
        )
        self.head = nn.Linear(24, 10)

    def forward(self, x):
        x = self.scale * self.patches(x).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))

def vit():
    return ViT()
"""
"""Without the bias of keys, whose gradient is zero but for rounding, which AdamW makes steps of."""
DIES = """
import sys
from learnsym.cli import main
from learnsym.training import loop
plain = loop._Loop._after_step
def after_step(self, bar):
    if self.step == 8:
        raise SystemExit(3)
    plain(self, bar)
loop._Loop._after_step = after_step
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def config(tiny, with_train, tmp_path):
    (tmp_path / "vit.py").write_text(FACTORY)
    net = NetConfig(name=f"{tmp_path / 'vit.py'}:vit")
    optimiser = replace(tiny.optimiser, lr=3e-3, clip=1.0)
    return with_train(replace(tiny, net=net, optimiser=optimiser), sharded=True)


def launched(config, folder, run, *program):
    """Two processes that train in a folder."""
    (folder / "config.yaml").write_text(dump_config(config))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port]
    command += [*(program or ("-m", "learnsym")), "train", str(folder / "config.yaml"), "--out", str(folder / run)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def same(one, other, close):
    for name, value in one.weights().items():
        torch.testing.assert_close(other.weights()[name], value, atol=close, rtol=close)
    for a, b in zip(one.metrics(), other.metrics(), strict=True):
        assert a.keys() == b.keys()
        assert all(a[key] == b[key] or abs(a[key] - b[key]) <= close * max(1, abs(a[key])) for key in a), (a, b)


@pytest.mark.slow
def test_two_processes_are_one(config, with_train, tmp_path):
    (whole,) = train(with_train(config, sharded=False), tmp_path / "one")
    done = launched(config, tmp_path, "two")
    assert done.returncode == 0, done.stderr[-3000:]
    same(whole, Run(tmp_path / "two"), 1e-5)
    widths = [
        {key: value for key, value in r.items() if "rotation" in key} for r in whole.metrics() if r["step"] in (1, 12)
    ]
    assert widths[0] and any(abs(widths[0][key] - widths[1][key]) > 1e-3 for key in widths[0]), "degrees are learned"
    x = whole.splits().test.inputs
    with torch.no_grad():
        torch.testing.assert_close(
            Run(tmp_path / "two").model().eval()(x), whole.model().eval()(x), atol=1e-4, rtol=1e-4
        )


@pytest.mark.slow
@pytest.mark.parametrize("sharded_first", [True, False])
def test_either_continues_the_run_of_the_other(config, with_train, tmp_path, sharded_first):
    plain = with_train(config, sharded=False)
    (whole,) = train(plain, tmp_path / "one")
    (tmp_path / "dies.py").write_text(DIES)
    first, second = (config, plain) if sharded_first else (plain, config)
    assert launched(first, tmp_path, "two", str(tmp_path / "dies.py")).returncode != 0
    state = Run(tmp_path / "two").state()
    assert state is not None and state["step"] == 5
    done = launched(second, tmp_path, "two")
    assert done.returncode == 0 and "resuming at step 5" in done.stderr, done.stderr[-3000:]
    same(whole, Run(tmp_path / "two"), 1e-5)


def test_one_process_has_nobody_to_share_with(config, with_train, toy, tmp_path):
    with pytest.raises(ValueError, match=r"train\.sharded: got true with one process.* start it under torchrun"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    model, objective, data = toy()
    with pytest.raises(ValueError, match=r"train\.sharded: got true with one process"):
        fit(model, objective, [(data.x, data.y)], steps=1, train=config.train)


def test_where_it_does_not_work(tiny, with_train):
    sharded = with_train(tiny, sharded=True)
    steerable = NetConfig(name="steerable", width=1)
    for values, message in (
        ({"chooser": choosers["validation"]()}, "got true with the chooser validation"),
        ({"method": registry["residual"](), "net": steerable}, "got true with the method residual"),
        ({"train": replace(sharded.train, compile=True)}, "got true with train.compile"),
    ):
        with pytest.raises(ValueError, match=f"train.sharded: {message}.*leave out train.sharded"):
            replace(sharded, **values)


def test_networks_that_cannot_be_divided():
    from learnsym.augment import Plain
    from learnsym.training.sharding import Sharded

    tied = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    for model, message in (
        (torch.nn.Linear(3, 3), "got a model Linear, must be an Augmented"),
        (Plain(torch.nn.Sequential(torch.nn.BatchNorm1d(3))), "the network has the batch norm 0"),
        (Plain(tied), "the network has a parameter that several modules share"),
    ):
        with pytest.raises(ValueError, match=f"train.sharded: {message}"):
            Sharded(model)
