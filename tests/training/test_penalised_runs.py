"""Runs with the degree in the loss: clouds of points and images, from a configuration to degrees."""

from dataclasses import replace

import pytest
import torch

import learnsym as ls
from learnsym.data import DataConfig
from learnsym.nets import NetConfig
from learnsym.nets.config import POINT_NETS
from learnsym.objectives import ObjectiveConfig, PenaltyConfig, Remul, Supervised
from learnsym.training import Run, RunConfig, TrainConfig, build, members, train_member

DATA = DataConfig(name="gravity4", train=40, val=20, test=20)
SMALL = TrainConfig(steps=6, batch_size=10, checkpoint_every=3)
CLOUDS = RunConfig(
    data=DATA,
    net=NetConfig(name="gnn", width=8, depth=1),
    objective=ObjectiveConfig(loss="mse"),
    penalty=PenaltyConfig(mode="functional", symmetries=["so3", "so2_z"], weighting="validation"),
    train=SMALL,
)


def twin(config, name):
    return replace(config, augment=replace(config.augment, twin=name))


def test_the_learned_twin_weighs_candidates_and_resumes(tmp_path):
    run = train_member(CLOUDS, tmp_path / "run")
    found = run.degrees()
    assert [(degree.site, degree.group, degree.generator) for degree in found] == [
        ("loss", "SO(3)", "so3"),
        ("loss", "SO(2) about z", "so2_z"),
    ]
    record = [record for record in run.metrics() if record["split"] == "train"][-1]
    assert {degree.generator: degree.estimate for degree in found} == pytest.approx(
        {name: record[f"degree/loss/{name}"] for name in ("so3", "so2_z")}
    )
    assert record["penalty/so3"] > 0 and "weight/so2_z" in record
    assert Run(tmp_path / "run").signature() == ls.data.load_splits(DATA).train.signature


@pytest.mark.parametrize("weighting", ["constant", "gradnorm", "dual"])
@pytest.mark.parametrize("mode", ["anchored", "twirl"])
def test_every_weighting_trains_every_mode(mode, weighting, tmp_path):
    penalty = PenaltyConfig(mode=mode, weighting=weighting, samples=2, fraction=0.5, every=2)
    run = train_member(replace(CLOUDS, penalty=penalty, train=replace(SMALL, steps=2)), tmp_path)
    assert run.is_finished and len(run.degrees()) == (weighting != "constant")


def test_twins_of_clouds():
    (learned, objective, _), (plain, task, _), (exact, _, _) = (
        build(twin(CLOUDS, name)) for name in ("learned", "plain", "exact")
    )
    assert isinstance(objective, Remul) and isinstance(task, Supervised)
    assert type(learned) is type(plain) is ls.nets.points.GNN and type(exact) is ls.nets.points.EGNN
    counts = [ls.nets.parameter_count(net) for net in (plain, exact)]
    assert counts[1] == pytest.approx(counts[0], rel=0.15)
    state = plain.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in learned.state_dict().items())


@pytest.mark.parametrize("name", POINT_NETS)
def test_every_network_of_points_is_built_by_name(name):
    net = build(twin(replace(CLOUDS, net=NetConfig(name=name, width=12, depth=1)), "plain"))[0]
    assert net(torch.randn(2, 4, 7)).shape == (2, 4, 3)


def test_images_take_penalties_too(tmp_path):
    config = RunConfig(
        data=DataConfig(name="digits", train=40, val=20, test=20),
        net=NetConfig(width=4),
        penalty=PenaltyConfig(mode="twirl", symmetries=["rotation2d", "flip2d"], weighting="validation", samples=2),
        train=SMALL,
    )
    run = train_member(config, tmp_path)
    assert [degree.generator for degree in run.degrees()] == ["rotation2d", "flip2d"]
    assert isinstance(build(twin(config, "fixed"))[0], ls.augment.Augmented)


def test_analysis_shows_the_candidates(tmp_path):
    from learnsym.report import analyze

    for config, folder in members(replace(CLOUDS, twins=["learned", "exact"]), tmp_path):
        train_member(config, folder)
    found = analyze(tmp_path, progress=False)
    page = found.report.read_text(encoding="utf8")
    assert "Which symmetries does the loss keep?" in page and "of the outputs, under all of SO(3)" in page
    exact = found.data[0].twin("exact")
    assert exact is not None and exact.error is not None and exact.error.mean < 1e-5
    assert exact.score == "squared error"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"penalty": PenaltyConfig()}, "twins: got learned with net.name 'gnn'"),
        ({"twins": ["fixed"]}, "augment.symmetry: got 'affine2d' for the fixed twin"),
        ({"net": NetConfig(name="cnn")}, "net.name: got 'cnn' for clouds"),
        ({"penalty": PenaltyConfig(mode="functional", symmetries=["rotation2d"])}, "symmetry: got 'rotation2d' for cl"),
        ({"penalty": PenaltyConfig(mode="functional", symmetries=["e3"])}, "distribution: got None"),
        ({"data": DataConfig(name="digits", train=20, val=10, test=10)}, "it takes clouds of points"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(replace(CLOUDS, **change))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, "weight: got -1"),
        ({"symmetries": []}, "penalty.symmetries: got"),
        ({"symmetries": ["so3", "so3"]}, "each once"),
        ({"fraction": 0.0}, "penalty.fraction"),
        ({"every": 0}, "penalty.fraction, penalty.every"),
        ({"mode": "twirl"}, "penalty.samples: got 1, must be >= 2"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PenaltyConfig(**settings)


def test_a_penalty_and_relaxed_layers_are_one_too_many():
    relaxed = {"net": NetConfig(name="steerable"), "relax": ls.relax.RelaxConfig(layer="residual")}
    with pytest.raises(ValueError, match="learn the degree in one place"):
        RunConfig(penalty=PenaltyConfig(mode="functional"), **relaxed)
