"""Runs with a network of somebody else: what they keep of it, and that every command can read them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from learnsym.data.config import DataConfig
from learnsym.export import export_run
from learnsym.files import write_atomically
from learnsym.learners import degrees
from learnsym.methods import registry
from learnsym.nets import NetConfig
from learnsym.report import analyze
from learnsym.report.card import load_subject
from learnsym.training import Run, RunConfig, build, read_config, train
from learnsym.training import loop as loop_module

FACTORY = """
import torch
from torch import nn
from layers import Features

def make(in_channels, classes, width=4):
    return nn.Sequential(Features(in_channels, width), nn.Linear(width, classes))

def fixed():
    return make(1, 10)

def empty():
    return nn.Flatten()

def data():
    generator = torch.Generator().manual_seed(0)
    x = {"image": torch.rand(60, 1, 8, 8, generator=generator), "age": torch.rand(60, 1, generator=generator)}
    return x, (x["age"][:, 0] > 0.5).long()

class TwoInputs(nn.Module):
    def __init__(self, in_channels, classes):
        super().__init__()
        self.features, self.head = Features(in_channels, 3), nn.Linear(4, classes)

    def forward(self, image, age):
        return {"logits": self.head(torch.cat([self.features(image), age], 1)), "age": age}
"""
LAYERS = """
from torch import nn

class Features(nn.Sequential):
    def __init__(self, channels, width):
        super().__init__(nn.Conv2d(channels, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A factory and a file beside it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_atomically(tmp_path / "mine.py", FACTORY.encode())
    write_atomically(tmp_path / "layers.py", LAYERS.encode())
    return tmp_path


def own(config: RunConfig, factory: str = "make", **settings) -> RunConfig:
    return replace(config, net=NetConfig(name=f"mine.py:{factory}", **settings))


def test_a_run_keeps_what_its_network_was_made_from(tiny, files):
    run = train(own(tiny, width=3), "run")[0]
    record = json.loads((run.path / "net.json").read_text())
    assert record["name"] == f"{files / 'mine.py'}:make"
    assert {name.rpartition("/")[2] for name in record["sha256"]} == {"mine.py", "layers.py"}
    assert (run.path / "net" / "mine.py").read_text() == FACTORY
    assert read_config(run.path / "config.yaml") == run.config
    assert "net.0.0.weight" in run.weights() and run.weights()["net.0.0.weight"].shape[0] == 3


def test_the_model_of_a_run_outlives_its_files(tiny, files, tmp_path_factory, monkeypatch, caplog):
    run = train(own(tiny), "run")[0].path.absolute()
    x = torch.rand(3, 1, 8, 8)
    before = Run(run).model()(x)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    caplog.clear()
    assert torch.equal(Run(run).model()(x), before) and not caplog.records
    (files / "layers.py").write_text(LAYERS.replace("nn.Flatten()", "nn.ReLU(), nn.Flatten()"))
    (files / "mine.py").unlink()
    with caplog.at_level("INFO", "learnsym"):
        assert torch.equal(Run(run).model()(x), before)
    assert "has changed or is gone since; its copy in" in caplog.text
    assert export_run(run, "model.pt2").is_file() and torch.equal(load_subject(str(run)).model(x), before)


def test_a_run_is_not_continued_with_another_network(tiny, files):
    train(own(tiny), "run")
    (files / "layers.py").write_text(LAYERS + "# changed\n")
    with pytest.raises(ValueError, match=r"net.name: .*layers.py is not as it was .* \(a copy lies in run/net\)"):
        train(own(tiny), "run")


def test_a_run_is_not_continued_with_other_weights(tiny, files):
    torch.save(build(own(tiny, "fixed"))[0].net.state_dict(), "w.pt")
    config = own(tiny, "fixed", weights="w.pt")
    run = train(config, "run")[0]
    torch.save({name: value + 1 for name, value in torch.load("w.pt").items()}, "w.pt")
    with pytest.raises(ValueError, match=r"net.weights: .*w.pt is not as it was when the run in run began; restore it"):
        train(config, "run")
    (files / "w.pt").unlink()
    assert run.model()(torch.rand(2, 1, 8, 8)).shape == (2, 10)


def test_weights_are_those_to_begin_with(tiny, files):
    state = build(own(tiny, "fixed"))[0].net.state_dict()
    torch.save({name: torch.full_like(value, 0.5) for name, value in state.items()}, "w.pt")
    model = build(own(tiny, "fixed", weights="w.pt"))[0]
    assert all(bool((value == 0.5).all()) for value in model.net.state_dict().values())


def test_killed_and_resumed_is_as_undisturbed(tiny, files, monkeypatch):
    class Death(BaseException):
        pass

    def dying(seed, step, device, original=loop_module.seed_step):
        if step == 7:
            raise Death
        original(seed, step, device)

    with monkeypatch.context() as patch, pytest.raises(Death):
        patch.setattr(loop_module, "seed_step", dying)
        train(own(tiny), "killed")
    resumed, whole = train(own(tiny), "killed")[0], train(own(tiny), "whole")[0]
    assert resumed.metrics() == whole.metrics()
    assert all(torch.equal(value, whole.weights()[name]) for name, value in resumed.weights().items())


@pytest.mark.slow
def test_members_in_processes_make_the_network_themselves(tiny, files):
    config = replace(own(tiny), twins=["learned", "plain"], train=replace(tiny.train, steps=2, workers=2))
    assert [run.is_finished for run in train(config, "runs")] == [True, True]


@pytest.mark.parametrize("name", [name for name, method in registry.items() if method.takes_any_net()])
def test_methods_of_data_and_loss_take_any_network(tiny, files, name):
    settings = {"symmetries": ["rotation2d"]} if name == "remul" else {}
    method = registry[name](**settings)
    for twin in method.twins:
        model, objective, splits = build(replace(own(tiny), method=method, twin=twin))
        objective(model, (splits.train.x[:4], splits.train.y[:4])).total.backward()
    assert degrees(build(replace(own(tiny), method=method))[0]) or name == "remul"


@pytest.mark.parametrize("name", [name for name, method in registry.items() if not method.takes_any_net()])
def test_methods_of_weights_choose_the_layers_themselves(tiny, files, name):
    method = registry[name]()
    with pytest.raises(ValueError, match=rf"net.name: got .*mine.py:make with the method {name}, which chooses the .*"):
        replace(own(tiny), method=method)


@pytest.mark.parametrize("name", [n for n, m in registry.items() if not m.takes_any_net() and not m.takes_weights])
def test_methods_that_choose_the_layers_take_no_weights_of_a_file(tiny, files, name):
    method = registry[name]()
    with pytest.raises(ValueError, match=r"net.weights: got .* take one of the methods augerino, instance_wise, remul"):
        replace(tiny, method=method, net=NetConfig(name=method.nets[0], weights="w.pt"))


@pytest.fixture
def two_inputs(tiny, files):
    """A run on images with a number beside each."""
    data = DataConfig(name="mine.py:data", moves="image", train=32, val=12, test=12)
    return replace(own(tiny, "TwoInputs", output="logits"), data=data)


def test_examples_of_several_inputs(two_inputs):
    for twin in ("learned", "exact"):
        run = train(replace(two_inputs, twin=twin), twin)[0]
        x = {"age": torch.rand(5, 1), "image": torch.rand(5, 1, 8, 8)}
        assert run.model()(x).shape == (5, 2) and "net.net.net.head.weight" in run.weights()
    assert [degree.site for degree in Run("learned").degrees()][:1] == ["input"]


@pytest.mark.slow
def test_pages_of_examples_of_several_inputs(two_inputs):
    train(two_inputs, "learned")
    page = analyze("learned", overrides=["--analysis.angle_step", "180", "--analysis.pose.steps", "2"])
    assert page.report.is_file()


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ({"name": "mlp"}, "net.name: got 'mlp' for examples of several inputs, must be your own"),
        ({"name": "mine.py:TwoInputs"}, "net.output: .* returns a dict with keys logits, age, must be one tensor"),
        ({"name": "mine.py:make"}, r"net.name: .* cannot take 2 examples of shape image \(1, 8, 8\), age \(1,\)"),
    ],
)
def test_what_is_wrong_with_several_inputs_is_said(two_inputs, net, message):
    with pytest.raises(ValueError, match=message):
        build(replace(two_inputs, net=NetConfig(**net), twin="plain"))


def test_what_is_wrong_is_said_before_training(tiny, files):
    for factory, settings, message in (
        ("empty", {}, "gives outputs of shape"),
        ("fixed", {"width": 8}, "net.width: got 8"),
        ("none", {}, "mine.py has no function 'none'"),
    ):
        with pytest.raises(ValueError, match=message):
            train(own(tiny, factory, **settings), "run")
        assert not (files / "run").exists()
    instance_wise = replace(own(tiny, "fixed"), method=registry["instance_wise"]())
    with pytest.raises(
        ValueError, match=r"second network of the method instance_wise, whose 6 outputs .* give its factory an"
    ):
        build(instance_wise)


def test_a_network_of_the_command_leaves_the_settings_of_another_out(tiny, files, caplog):
    (files / "c.yaml").write_text("net: {name: cnn, norm: batch, depth: 2}\n")
    with caplog.at_level("INFO", "learnsym"):
        config = read_config("c.yaml", ["--net.name", "mine.py:make"])
    assert config.net == NetConfig(name="mine.py:make")
    assert "settings of cnn in c.yaml are left out (norm, depth)" in caplog.text
