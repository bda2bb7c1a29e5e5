"""Law of data parallelism: two processes give what one gives with the same global batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from learnsym.distributions import part_of_batch, uniform_noise
from learnsym.distributions.noise import random_examples
from learnsym.methods import registry
from learnsym.nets.config import NetConfig
from learnsym.objectives import choosers
from learnsym.training import OptimiserConfig, Run, dump_config, train


def test_noise_is_that_of_the_global_batch():
    torch.manual_seed(0)
    whole = uniform_noise((2, 6, 3), torch.zeros(()), batch_axis=1)
    parts = []
    for rank in range(3):
        torch.manual_seed(0)
        with part_of_batch(rank, 3):
            parts.append(uniform_noise((2, 2, 3), torch.zeros(()), batch_axis=1))
    assert torch.equal(torch.cat(parts, 1), whole)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_random_examples_are_those_of_the_global_batch():
    torch.manual_seed(0)
    whole = random_examples(9, 6, torch.device("cpu"))
    parts = []
    for rank in range(3):
        torch.manual_seed(0)
        with part_of_batch(rank, 3):
            parts.append(random_examples(9, 6, torch.device("cpu")))
    assert torch.equal(torch.cat(parts), whole)
    assert len(whole.unique()) > 1
    with part_of_batch(0, 4), pytest.raises(ValueError, match="size: got 6 examples for 4 processes"):
        random_examples(9, 6, torch.device("cpu"))


STEERABLE = NetConfig(name="steerable", width=1)


@pytest.mark.parametrize(
    ("chooser", "net", "method"),
    [
        ("training", NetConfig(name="mlp", width=16, depth=1), "augerino"),
        pytest.param("validation", NetConfig(name="mlp", width=16, depth=1), "augerino", marks=pytest.mark.slow),
        pytest.param(
            "validation", NetConfig(name="cnn", width=4, depth=2, norm="batch"), "augerino", marks=pytest.mark.slow
        ),
        pytest.param("training", STEERABLE, "probabilistic", marks=pytest.mark.slow),
        pytest.param("training", STEERABLE, "residual", marks=pytest.mark.slow),
    ],
)
def test_two_processes_are_one(tiny, tmp_path, chooser, net, method):
    # adamw divides a gradient by its size, however much of it is rounding, which convolutions have in other places
    layers = {"method": registry[method](group="C_2"), "optimiser": OptimiserConfig(name="sgd", lr=3e-2)}
    given = {} if method == "augerino" else layers
    assert_two_are_one(replace(tiny, net=net, chooser=choosers.registry[chooser](), **given), tmp_path)


@pytest.mark.parametrize(
    "chooser", [pytest.param(name, marks=pytest.mark.slow) for name in ("validation", "gradnorm")] + ["dual"]
)
def test_two_processes_weigh_symmetries_as_one(tiny, tmp_path, chooser):
    remul = registry["remul"](symmetries=["rotation2d"])
    config = replace(tiny, net=NetConfig(name="mlp", width=16, depth=1), method=remul)
    assert_two_are_one(replace(config, chooser=choosers.registry[chooser]()), tmp_path)


def assert_two_are_one(tiny, tmp_path):
    (one,) = train(tiny, tmp_path / "one")
    (tmp_path / "config.yaml").write_text(dump_config(tiny))
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(free_port()),
    ]
    command += ["-m", "learnsym", "train", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "two")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    two = Run(tmp_path / "two")
    assert two.is_finished
    for name, value in one.weights().items():
        torch.testing.assert_close(two.weights()[name], value, atol=1e-5, rtol=1e-5)
    assert len(two.metrics()) == len(one.metrics())
    for a, b in zip(one.metrics(), two.metrics(), strict=True):
        assert a.keys() == b.keys()
        assert all(a[key] == b[key] or abs(a[key] - b[key]) < 1e-4 * max(1, abs(a[key])) for key in a), (a, b)
