"""Runs whose degree of symmetry lives in the weights: trained and analysed by the same commands."""

import json

import pytest
import torch

import learnsym as ls
from learnsym.nets import NetConfig, build_steerable
from learnsym.relax import RelaxConfig, group_named
from learnsym.report import analyze
from learnsym.training import RunConfig, TrainConfig, build, train

SMALL = {"data": ls.data.DataConfig(train=60, val=20, test=20), "net": NetConfig(name="steerable", width=1)}
LAYERS = ("probabilistic", "residual", "relaxed")


def config(layer="probabilistic", steps=3, **more):
    settings = TrainConfig(steps=steps, batch_size=16, device="cpu", threads=1, checkpoint_every=2)
    return RunConfig(**SMALL, relax=RelaxConfig(layer=layer, group="C_2"), train=settings, **more)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_trains_and_reports_its_layers(layer, tmp_path):
    train(config(layer), tmp_path)
    degrees = ls.degrees(ls.training.Run(tmp_path).model())
    assert len({degree.site for degree in degrees}) == 6
    assert all(degree.site.startswith("layer:body.") and 0 <= degree.estimate <= 1.001 for degree in degrees)


def test_twins_share_channels_and_the_exact_one_is_exact():
    x = torch.randn(4, 1, 28, 28).double()
    nets = {
        twin: build_steerable(SMALL["net"], RelaxConfig(layer="residual"), twin, (1, 28, 28), 10).double().eval()
        for twin in ("learned", "exact", "plain")
    }
    assert torch.allclose(nets["exact"](x), nets["exact"](x.rot90(1, (2, 3))), atol=1e-9)
    assert not torch.allclose(nets["plain"](x), nets["plain"](x.rot90(1, (2, 3))), atol=1e-3)
    assert {net(x).shape for net in nets.values()} == {(4, 10)}
    assert not ls.degrees(nets["exact"]) and not ls.degrees(nets["plain"])


def test_analysis_has_layers_in_symmetry_json_and_on_the_page(tmp_path):
    train(config(twins=["learned", "exact"], seeds=[0, 1]), tmp_path)
    analyze(tmp_path)
    rows = json.loads((tmp_path / "symmetry.json").read_text())["degrees"]
    layers = [row for row in rows if row["site"].startswith("layer:")]
    assert len(layers) == 6 and all(row["low"] is not None and row["notion"] == "task" for row in layers)
    page = (tmp_path / "report.html").read_text()
    assert "Which layers keep the symmetry?" in page and "layer:body.2.0" in page


def test_the_objective_follows_the_layer():
    found = {layer: type(build(config(layer))[1]).__name__ for layer in LAYERS}
    assert found == {"probabilistic": "Probabilistic", "residual": "WithPrior", "relaxed": "WithPrior"}


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("relax.layer: got 'none' with net.name 'steerable'; set relax.layer", lambda: RunConfig(net=SMALL["net"])),
        (
            "relax.layer: got 'residual' with net.name 'cnn'; set net.name",
            lambda: RunConfig(relax=RelaxConfig(layer="residual")),
        ),
        ("twins: got 'fixed' with relaxed layers", lambda: config(twins=["fixed"])),
        ("relax.group: got 'SE\\(2\\)', must be C_N or D_N", lambda: RelaxConfig(group="SE(2)")),
        ("relax.free_variance, relax.weight: got 0", lambda: RelaxConfig(free_variance=0.0)),
        ("relax.band_limit: got 0", lambda: RelaxConfig(band_limit=0)),
        ("name: got 'steerable', whose layers are not chosen", lambda: ls.nets.build(SMALL["net"], (1, 28, 28), 10)),
        (
            "in_shape: got \\(7,\\), steerable needs images",
            lambda: build_steerable(SMALL["net"], RelaxConfig(layer="residual"), "learned", (7,), 10),
        ),
        (
            "net.name: got 'cnn' with relax.layer",
            lambda: build_steerable(NetConfig(), RelaxConfig(layer="residual"), "learned", (1, 9, 9), 10),
        ),
        (
            "twin: got 'fixed', must be learned",
            lambda: build_steerable(SMALL["net"], RelaxConfig(layer="residual"), "fixed", (1, 9, 9), 10),
        ),
        (
            "must be cross_entropy or mse",
            lambda: ls.objectives.build_relaxed(
                ls.objectives.ObjectiveConfig(chooser="validation"), RelaxConfig(layer="residual"), 9
            ),
        ),
    ],
)
def test_bad_input_is_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()


def test_groups_by_name():
    assert [str(group_named(name)) for name in ("C_3", "D_12", "SO(2)", "O(2)")] == ["C_3", "D_12", "SO(2)", "O(2)"]
