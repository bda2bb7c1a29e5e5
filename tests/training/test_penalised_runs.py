"""Runs with the degree in the loss: clouds of points and images, from a configuration to degrees."""

from dataclasses import replace

import pytest
import torch

import learnsym as ls
from learnsym.data import DataConfig
from learnsym.methods import registry
from learnsym.nets import NetConfig
from learnsym.nets.config import POINT_NETS
from learnsym.objectives import LossConfig, Remul, Supervised, choosers
from learnsym.training import Run, RunConfig, TrainConfig, build, members, train_member

DATA = DataConfig(name="gravity4", train=40, val=20, test=20)
SMALL = TrainConfig(steps=6, batch_size=10, checkpoint_every=3)
VALIDATION = choosers.registry["validation"]()
CLOUDS = RunConfig(
    data=DATA,
    net=NetConfig(name="gnn", width=8, depth=1),
    loss=LossConfig(name="mse"),
    method=registry["remul"](symmetries=["so3", "so2_z"]),
    chooser=VALIDATION,
    train=SMALL,
)


def twin(config, name):
    return replace(config, twin=name)


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


@pytest.mark.parametrize("chooser", ["training", "gradnorm", "dual"])
@pytest.mark.parametrize("mode", ["anchored", "twirl"])
def test_every_chooser_trains_every_mode(mode, chooser, tmp_path):
    method = registry["remul"](mode=mode, samples=2, fraction=0.5, every=2)
    config = replace(CLOUDS, method=method, chooser=choosers.registry[chooser](), train=replace(SMALL, steps=2))
    run = train_member(config, tmp_path)
    assert run.is_finished and len(run.degrees()) == (chooser != "training")


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
        method=registry["remul"](mode="twirl", symmetries=["rotation2d", "flip2d"], samples=2),
        chooser=VALIDATION,
        train=SMALL,
    )
    run = train_member(config, tmp_path)
    assert [degree.generator for degree in run.degrees()] == ["rotation2d", "flip2d"]
    model, objective, _ = build(twin(config, "fixed"))
    assert isinstance(model, ls.augment.Plain) and isinstance(objective, ls.objectives.MovedExamples)


@pytest.mark.slow
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
        ({"method": registry["augerino"]()}, "net.name: got 'gnn' with the method augerino"),
        ({"net": NetConfig(name="cnn")}, "with the network cnn, which takes images"),
        ({"method": registry["remul"](symmetries=["rotation2d"])}, "with the network gnn, which takes clouds"),
        ({"method": registry["remul"](symmetries=["e3"])}, "distribution: got None"),
        ({"data": DataConfig(name="digits", train=20, val=10, test=10)}, "in_shape|net.name: got 'gnn'"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(replace(CLOUDS, **change))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, "method.weight: got -1"),
        ({"symmetries": []}, "method.symmetries: got"),
        ({"symmetries": ["so3", "so3"]}, "each once"),
        ({"fraction": 0.0}, "method.fraction: got 0"),
        ({"every": 0}, "method.every: got 0"),
        ({"mode": "twirl", "samples": 1}, "method.samples: got 1, must be >= 2"),
        ({"orbit": 0}, "method.orbit: got 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        registry["remul"](**settings)
