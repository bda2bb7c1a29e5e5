"""The method node_identifiers: from a configuration to degrees, the page and what is refused."""

from dataclasses import replace

import pytest
import torch
import yaml

import learnsym as ls
from learnsym.cli import main
from learnsym.data import DataConfig
from learnsym.methods import registry
from learnsym.nets import NetConfig
from learnsym.objectives import LossConfig, Regularised, Supervised, choosers
from learnsym.relax.points import NodeIdentifiers, OneHotIdentifiers, WithoutExtras
from learnsym.training import RunConfig, TrainConfig, build, train_member

FORCES = """import torch
import learnsym as ls
from learnsym.actions import PointCloud, PointVectors


def bodies():
    x = torch.randn(90, 4, 3, generator=torch.Generator().manual_seed(0))
    strength = torch.tensor([1.0, 1.0, -1.0, -1.0])[:, None]
    forces = (strength * (x[:, None] - x[:, :, None])).sum(2)
    return ls.data.Dataset(x, forces, "bodies", on_input=PointCloud(), on_output=PointVectors())
"""


def _config(path, **more):
    (path / "bodies.py").write_text(FORCES)
    config = RunConfig(
        data=DataConfig(name=f"{path / 'bodies.py'}:bodies", train=60, val=15, test=15),
        net=NetConfig(name="egnn", width=8, depth=1),
        loss=LossConfig(name="mse"),
        method=registry["node_identifiers"](),
        train=TrainConfig(steps=150, batch_size=20),
    )
    return replace(config, **more)


def test_what_the_twins_are(tmp_path):
    found = {twin: build(_config(tmp_path, twin=twin)) for twin in ("learned", "plain", "exact")}
    kinds = {"learned": NodeIdentifiers, "plain": OneHotIdentifiers, "exact": WithoutExtras}
    assert {twin: type(model) for twin, (model, _, _) in found.items()} == kinds
    objectives = {twin: type(objective) for twin, (_, objective, _) in found.items()}
    assert objectives == {"learned": Regularised, "plain": Supervised, "exact": Supervised}
    x = found["learned"][2].test.inputs
    torch.testing.assert_close(found["learned"][0](x), found["exact"][0](x))
    tested = registry["node_identifiers"]().tested(found["learned"][2].test.signature)
    errors = {t: ls.measure.equivariance_error(m, x, tested, samples=4).mean for t, (m, _, _) in found.items()}
    assert errors["exact"] < 1e-5 and errors["learned"] < 1e-5 and errors["plain"] > 1e-3


@pytest.mark.parametrize("chooser", ["training", "validation"])
def test_learned_positions_are_told_apart_and_the_page_says_so(chooser, tmp_path):
    config = _config(tmp_path, chooser=choosers.registry[chooser]())
    run = train_member(config, tmp_path / "run")
    degrees = run.degrees()
    assert [degree.generator for degree in degrees] == [f"position {n}" for n in range(4)]
    assert all(degree.estimate > 0.01 and degree.group == "S_4" for degree in degrees)
    assert main(["analyze", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "position 3" in page and "S_4" in page


def test_the_prior_is_weighed(tmp_path):
    config = _config(tmp_path)
    model, objective, splits = build(config)
    torch.nn.init.ones_(model.identifiers)
    batch = splits.train.x[:4], splits.train.y[:4]
    heavier = replace(config, method=registry["node_identifiers"](weight=3.0))
    torch.testing.assert_close(
        build(heavier)[1](model, batch).parts["prior"], 3 * objective(model, batch).parts["prior"]
    )
    assert build(replace(config, method=registry["node_identifiers"](features=2)))[0].identifiers.shape == (4, 2)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "--twin",
            "fixed",
            "twins: got 'fixed' with the method node_identifiers, must be one of learned, plain",
        ),
        ("--chooser.name", "elbo", "node_identifiers works with training, validation"),
        ("--data.name", "digits", "method.name: got 'node_identifiers' for data of shape"),
        ("--method.features", "0", "method.features: got 0"),
    ],
)
def test_what_is_refused(key, value, message, tmp_path, capsys):
    path = tmp_path / "config.yaml"
    content = {"data": {"name": "gravity4"}, "net": {"name": "gnn"}, "loss": {"name": "mse"}}
    path.write_text(yaml.safe_dump({**content, "method": {"name": "node_identifiers"}}))
    assert main(["train", str(path), key, value, "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
