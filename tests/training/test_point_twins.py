"""Twins of runs on clouds: augmented and relaxed ones, from a configuration to degrees and the page."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

import learnsym as ls
from learnsym.cli import main
from learnsym.comparison import ComparisonConfig
from learnsym.data import DataConfig
from learnsym.measure import AnalysisConfig
from learnsym.methods import registry
from learnsym.nets import NetConfig
from learnsym.nets.points import EGNN, GNN
from learnsym.objectives import LossConfig, MovedExamples, Regularised, Supervised, choosers
from learnsym.training import Run, RunConfig, TrainConfig, build, members, train_member
from learnsym.training import loop as loop_module
from tests.training.test_parallel import assert_two_are_one

CLOUDS = RunConfig(
    data=DataConfig(name="gravity4", train=40, val=20, test=20),
    net=NetConfig(name="gnn", width=8, depth=1),
    loss=LossConfig(name="mse"),
    method=registry["fixed_and_absolute"](),
    train=TrainConfig(steps=6, batch_size=10, checkpoint_every=3),
)
METHODS = ("fixed_inputs", "absolute_coordinates", "fixed_and_absolute")
TWINS = ("learned", "plain", "fixed", "exact")


def twin(name, config=CLOUDS):
    return replace(config, twin=name)


def relaxed(method, **more):
    return replace(CLOUDS, method=registry[method](**more))


def test_what_the_twins_are():
    nets, objectives, _ = zip(*(build(twin(name)) for name in TWINS), strict=True)
    learned, plain, fixed, exact = nets
    assert type(plain) is type(fixed) is GNN and not ls.degrees(plain)
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in fixed.state_dict().items())
    assert isinstance(exact, EGNN) and isinstance(learned.net.net, EGNN)
    assert learned.net.net.embed.out_features == exact.embed.out_features
    assert [type(objective) for objective in objectives] == [Regularised, Supervised, MovedExamples, Supervised]


@pytest.mark.parametrize("method", METHODS)
def test_the_learned_twin_starts_nearly_exact_and_has_degrees(method, tmp_path):
    config = relaxed(method)
    model, _, splits = build(config)
    x, symmetry = splits.test.inputs, splits.test.signature.symmetry("so3")
    nets = {"learned": model, "exact": ls.relax.exact_twin(model), "plain": build(twin("plain"))[0]}
    error = {name: ls.measure.equivariance_error(net.eval(), x, symmetry, samples=2).mean for name, net in nets.items()}
    assert error["exact"] < 1e-5 < error["learned"] < 0.5 * error["plain"]
    found = train_member(config, tmp_path / "run").degrees()
    kinds = {"fixed_inputs": ["fixed vector 0"], "absolute_coordinates": ["absolute coordinates"]}
    assert [d.generator for d in found] == kinds.get(method, ["absolute coordinates", "fixed vector 0"])
    assert all(0 < d.estimate < 1 and d.notion == "task" for d in found)


def test_vectors_are_as_many_as_asked_for():
    assert len(ls.degrees(build(relaxed("fixed_inputs", vectors=2))[0])) == 2


def test_the_prior_is_in_the_loss():
    model, objective, splits = build(CLOUDS)
    batch = splits.train.x[:4], splits.train.y[:4]
    parts = objective(model, batch).parts
    assert parts["prior"] > 0
    heavier = replace(CLOUDS, method=replace(CLOUDS.method, weight=3.0))
    torch.testing.assert_close(build(heavier)[1](model, batch).parts["prior"], 3 * parts["prior"])


def test_augmentation_is_of_training_alone():
    config = twin("fixed")
    model, objective, splits = build(config)
    batch = splits.train.x[:8], splits.train.y[:8]
    assert objective(model.eval(), batch).total == ls.objectives.mse(model(batch[0]), batch[1])
    losses = [objective(model.train(), batch).total.item() for _ in range(2)]
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", ["fixed", "learned"])
def test_resumed_is_uninterrupted(name, tmp_path, monkeypatch):
    whole = train_member(twin(name), tmp_path / "whole")
    seed_step = loop_module.seed_step

    def dying(seed, step, device):
        if step == 4:
            raise KeyboardInterrupt
        seed_step(seed, step, device)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop_module, "seed_step", dying)
        train_member(twin(name), tmp_path / "resumed")
    resumed = train_member(twin(name), tmp_path / "resumed")
    assert resumed.metrics() == whole.metrics()
    assert all(torch.equal(value, resumed.weights()[key]) for key, value in whole.weights().items())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fixed", "learned"])
def test_two_processes_are_one(name, tmp_path):
    assert_two_are_one(replace(twin(name), twins=[name], train=replace(CLOUDS.train, device="cpu")), tmp_path)


def test_the_page_says_what_breaks_the_symmetry(tmp_path):
    from learnsym.report import analyze

    analysis = AnalysisConfig(equivariance_samples=2, equivariance_examples=10, bootstrap=20, workers=1)
    config = replace(CLOUDS, method=replace(CLOUDS.method, symmetry="so2_z"), twins=list(TWINS), analysis=analysis)
    for member, folder in members(config, tmp_path):
        train_member(member, folder)
    found = analyze(tmp_path, progress=False)
    page = found.report.read_text(encoding="utf8")
    assert "What breaks the symmetry?" in page and "Learned vector 0 is 0." in page
    assert "Which layers keep the symmetry?" not in page
    assert "of the outputs, under all of SO(2) about z" in page
    assert {one.name for one in found.data[0].twins} == set(TWINS)


def test_a_finished_run_has_its_model_and_degrees(tmp_path):
    train_member(CLOUDS, tmp_path)
    run = Run(tmp_path)
    estimates = {f"{d.generator}": d.estimate for d in run.degrees()}
    record = [record for record in run.metrics() if record["split"] == "train"][-1]
    assert record["half_width/absolute coordinates"] == pytest.approx(estimates["absolute coordinates"])
    assert record["degree/net/fixed vector 0"] == pytest.approx(estimates["fixed vector 0"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": registry["augerino"](), "twins": ["fixed"]}, "net.name: got 'gnn' with the method augerino"),
        ({"method": registry["residual"]()}, "net.name: got 'gnn' with the method residual, must be one of steerable"),
        ({"net": NetConfig(name="cnn")}, "net.name: got 'cnn' .* must be one of transformer, gnn"),
        ({"net": NetConfig(name="steerable")}, "net.name: got 'steerable' .* must be one of transformer, gnn"),
        ({"loss": LossConfig()}, "loss.name: got 'cross_entropy' .* must be one of mse"),
        ({"data": DataConfig(name="digits", train=20, val=10, test=10)}, "it takes clouds of points"),
        ({"chooser": choosers.registry["elbo"]()}, "chooser.name: got 'elbo' with the method fixed_and_absolute"),
    ],
)
def test_what_contradicts_itself_is_refused(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        build(replace(CLOUDS, **change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vectors": 0}, "method.vectors: got 0, must be"),
        ({"copies": 0}, "method.copies: got 0"),
        ({"weight": -1.0}, "method.weight: got -1"),
        ({"symmetry": "affine2d"}, "method.symmetry: got 'affine2d', must be one of so3, o3, so2_x"),
        ({"symmetry": "e3"}, "method.symmetry: got 'e3'"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        registry["fixed_inputs"](**settings)


@pytest.mark.slow
def test_the_example_of_the_documentation_runs(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "motion.md").read_text(encoding="utf8")
    section = page.partition("## Twins in a run")[2]
    example, arms = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "field.yaml").write_text(example)
    small = "--train.steps 1 --train.batch_size 4 --data.train 4 --data.val 2 --data.test 2 --net.width 8 --net.depth 1"
    assert main(["train", str(tmp_path / "field.yaml"), "--out", str(tmp_path / "run"), *small.split()]) == 0
    assert [d.generator for d in Run(tmp_path / "run" / "learned-0").degrees()] == ["fixed vector 0"]
    config = ComparisonConfig(**yaml.safe_load(arms))
    assert [arm.twin for arm in config.arm_configs.values()] == [
        *TWINS[1:],
        "learned",
    ]
