"""Runs whose degree of symmetry lives in the weights: trained and analysed by the same commands."""

import json

import pytest
import torch

import learnsym as ls
from learnsym.equivariant import SteerableConv
from learnsym.groups import plane_group
from learnsym.methods import Setup, registry
from learnsym.nets import NetConfig, build_steerable
from learnsym.objectives import choosers
from learnsym.report import analyze
from learnsym.training import RunConfig, TrainConfig, build, train

SMALL = {"data": ls.data.DataConfig(train=60, val=20, test=20), "net": NetConfig(name="steerable", width=1)}
METHODS = ("probabilistic", "residual", "relaxed_steerable")
IMAGES = ls.data.Signature(in_shape=(1, 28, 28), classes=10)
VALIDATION = choosers.registry["validation"]()
VECTORS = ls.data.Signature(in_shape=(7,), classes=10)


def config(method="probabilistic", steps=3, **more):
    settings = TrainConfig(steps=steps, batch_size=16, device="cpu", threads=1, checkpoint_every=2)
    return RunConfig(**SMALL, method=registry[method](group="C_2"), train=settings, **more)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_and_reports_its_layers(method, tmp_path):
    train(config(method), tmp_path)
    degrees = ls.degrees(ls.training.Run(tmp_path).model())
    assert len({degree.site for degree in degrees}) == 6
    assert all(degree.site.startswith("layer:body.") and 0 <= degree.estimate <= 1.001 for degree in degrees)


def test_twins_share_channels_and_the_exact_one_is_exact():
    x = torch.randn(4, 1, 28, 28).double()
    nets = {
        twin: registry["residual"]().model(Setup(net=SMALL["net"], data=IMAGES, twin=twin)).double().eval()
        for twin in ("learned", "exact", "plain")
    }
    assert torch.allclose(nets["exact"](x), nets["exact"](x.rot90(1, (2, 3))), atol=1e-9)
    assert not torch.allclose(nets["plain"](x), nets["plain"](x.rot90(1, (2, 3))), atol=1e-3)
    assert {net(x).shape for net in nets.values()} == {(4, 10)}
    assert not ls.degrees(nets["exact"]) and not ls.degrees(nets["plain"])


@pytest.mark.slow
def test_analysis_has_layers_in_symmetry_json_and_on_the_page(tmp_path):
    train(config(twins=["learned", "exact"], seeds=[0, 1]), tmp_path)
    analyze(tmp_path)
    rows = json.loads((tmp_path / "symmetry.json").read_text())["degrees"]
    layers = [row for row in rows if row["site"].startswith("layer:")]
    assert len(layers) == 6 and all(row["low"] is not None and row["notion"] == "task" for row in layers)
    page = (tmp_path / "report.html").read_text()
    assert "Which layers keep the symmetry?" in page and "layer:body.2.0" in page


def test_the_objective_has_the_terms_of_the_method():
    found = {method: [type(term).__name__ for term in build(config(method))[1].terms] for method in METHODS}
    assert found == {
        "probabilistic": ["Alignment", "DivergenceAlongDepth", "Prior"],
        "residual": ["Prior"],
        "relaxed_steerable": ["Prior"],
    }


@pytest.mark.parametrize("method", METHODS)
def test_twins_that_learn_nothing_have_the_loss_on_the_targets_alone(method):
    assert all(type(build(config(method, twin=twin))[1]) is ls.objectives.Supervised for twin in ("plain", "exact"))


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (
            "net.name: got 'steerable' with the method augerino, must be one of cnn",
            lambda: RunConfig(net=SMALL["net"]),
        ),
        (
            "net.name: got 'cnn' with the method residual, must be one of steerable",
            lambda: RunConfig(method=registry["residual"]()),
        ),
        (
            "twins: got 'fixed' with the method probabilistic, must be one of learned, plain, exact",
            lambda: config(twins=["fixed"]),
        ),
        ("group: got 'SE\\(2\\)', must be C_N or D_N", lambda: registry["residual"](group="SE(2)")),
        ("method.free_variance: got 0", lambda: registry["residual"](free_variance=0.0)),
        ("method.weight: got -1", lambda: registry["residual"](weight=-1.0)),
        ("method.band_limit: got 0", lambda: registry["probabilistic"](band_limit=0)),
        ("name: got 'steerable', must be one of", lambda: ls.nets.build(SMALL["net"], (1, 28, 28), 10)),
        (
            "in_shape: got \\(7,\\), steerable needs images",
            lambda: build_steerable(SMALL["net"], plane_group("C_4"), SteerableConv, (7,), 10),
        ),
        (
            "in_shape: got \\(7,\\), steerable needs images",
            lambda: registry["residual"]().model(Setup(net=SMALL["net"], data=VECTORS)),
        ),
        ("chooser.name: got 'validation' with the method residual", lambda: config("residual", chooser=VALIDATION)),
    ],
)
def test_bad_input_is_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()


def test_groups_by_name():
    assert [str(plane_group(name)) for name in ("C_3", "D_12", "SO(2)", "O(2)")] == ["C_3", "D_12", "SO(2)", "O(2)"]
