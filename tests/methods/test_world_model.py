"""The method `world_model`: its twins, its gains, and what it refuses."""

from dataclasses import replace

import pytest
import torch

import learnsym as ls
from learnsym.methods import Setup, registry
from learnsym.nets import NetConfig, parameter_count
from learnsym.objectives import LossConfig
from learnsym.relax import gained_layers, truncate
from learnsym.training import Run, build, train
from tests.methods.conftest import tiny

NET = {"name": "world", "width": 2}


def test_twins_have_about_as_many_parameters():
    counts = {
        twin: parameter_count(build(tiny("world_model", twin=twin, net=NET))[0])
        for twin in registry["world_model"].twins
    }
    assert all(0.75 < count / counts["plain"] < 1.3 for count in counts.values()), counts


@pytest.mark.parametrize(
    ("relaxed", "parts"),
    [("pictures", {"encoder"}), ("transition", {"transition"}), ("both", {"encoder", "transition"})],
)
def test_gains_are_where_they_are_asked_for(relaxed, parts):
    model, _, _ = build(replace(tiny("world_model"), method=registry["world_model"](relaxed=relaxed)))
    assert {path.split(".")[0] for path in gained_layers(model)} == parts
    assert {degree.site.split(":")[1].split(".")[0] for degree in ls.degrees(model)} == parts


def test_without_gains_the_relaxed_twin_is_exact():
    model, _, splits = build(tiny("world_model"))
    symmetry, x = registry["world_model"]().tested(splits.test.signature), splits.test.inputs
    assert ls.measure.equivariance_error(model, x, symmetry).mean > 0.05
    assert ls.measure.equivariance_error(truncate(model), x, symmetry).mean < 1e-5


def test_runs_log_hits_and_ranks(tmp_path):
    train(tiny("world_model", seeds=[0]), tmp_path / "run")
    records = Run(tmp_path / "run").metrics()
    test = [record for record in records if record["split"] == "test"][-1]
    assert 0 <= test["hits_at_1"] <= test["mrr"] <= 1 and test["task"] > 0
    assert Run(tmp_path / "run").signature().shapes[1] == ("action", (12,))


def test_other_data_are_refused():
    digits = ls.data.load("digits", split="test")
    setup = Setup(net=NetConfig(name="world"), data=digits.signature, loss=LossConfig(name="contrastive"))
    with pytest.raises(ValueError, match=r"^method\.name: got 'world_model' for examples of one tensor .* it takes"):
        registry["world_model"]().model(setup)


def test_batches_of_one_are_refused():
    with pytest.raises(ValueError, match=r"^train\.batch_size: got 1 with the loss contrastive"):
        tiny("world_model", train={"batch_size": 1})


def test_a_start_that_modulation_does_not_use_is_refused():
    with pytest.raises(ValueError, match=r"^method\.start: got 0\.5, which the chooser modulation does not use"):
        replace(tiny("world_model", "modulation"), method=registry["world_model"](start=0.5))


def test_encoders_of_the_symmetric_embedding_are_free():
    model, _, _ = build(tiny("world_model", twin="fixed"))
    convolutions = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == 4
