"""Laws of `fit`: it minimises, it is a function of its seed, it leaves the caller's torch as it was."""

from __future__ import annotations

import copy
import inspect
import itertools

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.training import NonFiniteLoss, OptimiserConfig, TrainConfig, fit
from learnsym.training.optimiser import make_optimiser, rate_factor

FAST = OptimiserConfig(lr=0.1, weight_decay=0.0)


def loaders(dataset):
    return {
        "list": [(dataset.x, dataset.y)],
        "DataLoader": torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(dataset.x, dataset.y), 16, shuffle=True
        ),
        "Batches": ls.data.Batches(dataset, 16),
    }


@pytest.mark.parametrize("name", ["list", "DataLoader", "Batches"])
@pytest.mark.parametrize("rule", ["adamw", "sgd"])
def test_loss_decreases(toy, name, rule):
    model, objective, dataset = toy()
    history = fit(model, objective, loaders(dataset)[name], steps=60, optimiser=OptimiserConfig(name=rule, lr=0.1))
    assert len(history.losses) == 60
    assert sum(history.losses[-8:]) < 0.5 * sum(history.losses[:8])
    assert history.column("step") == list(range(1, 61))


@pytest.mark.parametrize("name", ["list", "DataLoader", "Batches"])
def test_function_of_the_seed(toy, name):
    def weights(seed):
        model, objective, dataset = toy()
        model = nn.Sequential(nn.Dropout(0.5), model)
        fit(model, objective, loaders(dataset)[name], steps=5, seed=seed)
        return model[1].weight

    first, random = weights(1), torch.rand(3)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))
    assert random.shape == (3,)


def test_leaves_torch_as_it_was(toy):
    model, objective, dataset = toy()
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    fit(model, objective, [(dataset.x, dataset.y)], train=TrainConfig(steps=2, threads=2, deterministic=True))
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_symmetry_parameters_have_their_own_group():
    model = ls.augment.Augmented(nn.Linear(3, 2), ls.symmetry.rotation2d())
    frozen = nn.Linear(2, 2).requires_grad_(False)
    optimiser = make_optimiser(nn.Sequential(model, frozen), OptimiserConfig(lr=1.0, symmetry_lr=2.0, weight_decay=0.5))
    network, symmetry = optimiser.param_groups
    assert {id(p) for p in network["params"]} == {id(p) for p in model.net.parameters()}
    assert {id(p) for p in symmetry["params"]} == {id(p) for p in model.distribution.parameters()}
    assert (network["weight_decay"], symmetry["weight_decay"]) == (0.5, 0.0)
    assert (network["lr"], symmetry["lr"]) == (1.0, 2.0)


def test_learns_the_width(toy):
    model, objective, _ = toy()
    model = ls.augment.Augmented(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), ls.symmetry.rotation2d())
    objective = ls.objectives.Augerino(nn.functional.cross_entropy, weight=1.0)
    batch = torch.rand(8, 1, 8, 8), torch.arange(8) % 2
    history = fit(model, objective, [batch], steps=4, optimiser=OptimiserConfig(symmetry_lr=0.1))
    widths = history.column("half_width/rotation")
    assert len(widths) == 4 and widths[-1] > widths[0]


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_schedule(schedule):
    config = OptimiserConfig(schedule=schedule, warmup=4)
    factors = [rate_factor(config, step, 20) for step in range(20)]
    assert factors[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert all(a >= b for a, b in itertools.pairwise(factors[4:]))
    assert rate_factor(config, 20, 20) == pytest.approx(0.0 if schedule == "cosine" else 1.0)


def test_clipping(toy):
    model, objective, dataset = toy()
    before = model.weight.detach().clone()
    config = OptimiserConfig(name="sgd", lr=1.0, momentum=0.0, weight_decay=0.0, clip=1e-3, schedule="constant")
    fit(model, objective, [(dataset.x, dataset.y)], steps=1, optimiser=config)
    assert 0 < (model.weight - before).norm() <= 1e-3


@pytest.mark.parametrize("flag", [{"bf16": True}, {"compile": True, "compile_backend": "eager"}])
def test_flags(toy, flag):
    model, objective, dataset = toy()
    twin = copy.deepcopy(model)
    fit(model, objective, [(dataset.x, dataset.y)], optimiser=FAST, train=TrainConfig(steps=20, **flag))
    fit(twin, objective, [(dataset.x, dataset.y)], optimiser=FAST, train=TrainConfig(steps=20))
    torch.testing.assert_close(model.weight, twin.weight, atol=0.05 if "bf16" in flag else 1e-6, rtol=0)
    assert model.weight.dtype == torch.float32
    assert model._compiled_call_impl is None


def test_bf16_with_learned_symmetry():
    model = ls.augment.Augmented(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), ls.symmetry.affine2d())
    batch = torch.rand(8, 1, 8, 8), torch.arange(8) % 2
    history = fit(
        model, ls.objectives.Augerino(nn.functional.cross_entropy), [batch], train=TrainConfig(steps=2, bf16=True)
    )
    assert len(history.losses) == 2


@pytest.mark.slow
def test_compile(toy):
    model, objective, dataset = toy()
    fit(model, objective, [(dataset.x, dataset.y)], train=TrainConfig(steps=2, compile=True))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_non_finite_loss_names_the_step(toy, value):
    model, _, dataset = toy()
    calls = iter([1.0, 1.0, value])
    objective = ls.objectives.Supervised(lambda outputs, y: outputs.mean() * next(calls))
    with pytest.raises(NonFiniteLoss, match=r"loss of step 3 .*optimiser\.lr") as caught:
        fit(model, objective, [(dataset.x, dataset.y)], steps=9)
    assert caught.value.step == 3


def test_bad_input(toy):
    model, objective, dataset = toy()
    with pytest.raises(ValueError, match="loader: gave no batch"):
        fit(model, objective, [], steps=1)
    with pytest.raises(ValueError, match="objective: returned Tensor"):
        fit(model, lambda model, batch: model(batch[0]).mean(), [(dataset.x, dataset.y)], steps=1)
    with pytest.raises(ValueError, match="no parameter requires a gradient"):
        fit(model.requires_grad_(False), objective, [(dataset.x, dataset.y)], steps=1)


def test_each_record_is_given_away_once(toy, tmp_path):
    model, objective, dataset = toy()
    seen = []
    loader, run = [(dataset.x, dataset.y)], ls.training.Run.new(tmp_path / "run")
    history = fit(model, objective, loader, steps=4, run=run, validate=lambda _: {"score": 1.0}, on_record=seen.append)
    assert seen == history.records
    assert {record["split"] for record in seen} == {"train", "val"}
    seen[0]["loss"] = None
    assert history.records[0]["loss"] is not None
    again = fit(model, objective, loader, steps=4, run=run, on_record=seen.append)
    assert len(seen) == len(history.records) + len(again.records)
    with pytest.raises(ValueError, match="on_record: got a str, must be a function of a record"):
        inspect.unwrap(fit)(model, objective, loader, steps=1, on_record="wandb")
