"""The method neural_process: its twins and their sizes, every network, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

import learnsym as ls
from learnsym.cli import main
from learnsym.nets import parameter_count
from learnsym.relax.processes import ApproximateProcess, WithCoordinates
from learnsym.training import RunConfig, build, train
from learnsym.training.build import build_model
from learnsym.training.config_file import config_of

LATTICE = {"spacing": 0.25, "points": 52}
PLANE = {"box": [-1.0, 1.0], "spacing": 0.25, "points": 14, "kernel": 3}
NETS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "convcnp": ("gibbs", {"width": 4, "depth": 2}, LATTICE),
    "banks": ("gibbs", {"width": 4, "depth": 2}, {**LATTICE, "relaxation": "banks"}),
    "equivcnp": ("plumes", {"width": 2, "depth": 2}, {**PLANE, "symmetry": "quarter_turns", "inputs": 3}),
    "tnp": ("gibbs", {"width": 8, "depth": 1}, {"inputs": 3}),
}


def _config(name: str, **more: Any) -> RunConfig:
    data, net, method = NETS[name]
    values = {
        "data": {"name": data, "train": 24, "val": 8, "test": 16},
        "net": {"name": name if name != "banks" else "convcnp", **net},
        "loss": {"name": "gaussian"},
        "method": {"name": "neural_process", **method},
        "train": {"steps": 3, "batch_size": 8, "threads": 1, "device": "cpu"},
        "analysis": {"equivariance_examples": 8, "equivariance_samples": 2, "bootstrap": 20},
    }
    return config_of({**values, **more})


@pytest.mark.parametrize("name", NETS)
def test_exact_twins_have_the_symmetry_that_is_measured_and_the_others_do_not(name):
    found = {}
    for twin in ("exact", "plain", "learned"):
        config = _config(name, twin=twin)
        model, _, splits = build(config)
        test, method = splits.test, config.method
        assert isinstance(model, {"plain": torch.nn.Module, "learned": ApproximateProcess}.get(twin, torch.nn.Module))
        found[twin] = ls.measure.equivariance_error(
            model, test.inputs, method.tested(test.signature), distribution=method.law(test.signature), samples=2
        ).mean
    assert found["exact"] < 1e-3
    assert found["learned"] > 3 * found["exact"] and found["plain"] > 3 * found["exact"]


@pytest.mark.parametrize("name", NETS)
def test_plain_and_exact_twins_have_about_as_many_parameters(name):
    signature = build(_config(name))[2].train.signature
    plain, exact = (parameter_count(build_model(_config(name, twin=twin), signature)) for twin in ("plain", "exact"))
    assert 0.6 < plain / exact < 1.7  # widths are whole numbers, and small here
    learned = build_model(_config(name, twin="learned"), signature)
    assert isinstance(learned, ApproximateProcess)
    if name != "banks":
        mix = learned.net.mix if name == "tnp" else learned.net.body.mix
        assert parameter_count(learned) == exact + parameter_count(learned.functions) + parameter_count(mix)


@pytest.mark.parametrize("name", [name for name in NETS if name != "banks"])
def test_with_one_seed_the_relaxed_twin_begins_with_the_weights_of_the_exact_one(name):
    signature = build(_config(name))[2].train.signature
    exact, learned = (build_model(_config(name, twin=twin, seeds=[3]), signature) for twin in ("exact", "learned"))
    assert isinstance(learned, ApproximateProcess)
    shared = {key: weight for key, weight in learned.net.state_dict().items() if "mix" not in key}
    assert shared.keys() == exact.state_dict().keys()
    assert all(torch.equal(weight, shared[key]) for key, weight in exact.state_dict().items())


def test_coordinates_of_the_plain_twin_are_in_units_of_the_box():
    signature = build(_config("equivcnp"))[2].train.signature
    plain = build_model(_config("equivcnp", twin="plain"), signature)
    assert isinstance(plain, WithCoordinates) and plain.scale == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["equivcnp", "tnp"])
def test_other_networks_train_and_can_be_analysed(name, tmp_path):
    runs = train(_config(name, twins=["learned", "exact", "plain"]), tmp_path)
    found = ls.report.analyze(tmp_path, progress=False).data[0]
    assert all(twin.score == "negative log-likelihood, nats a target" for twin in found.twins)
    (degree,) = next(run for run in runs if run.twin == "learned").degrees()
    assert degree.low is not None and degree.low <= degree.estimate
    page = (tmp_path / "report.html").read_text(encoding="utf8")
    assert "Functions of location carry" in page
    exact = found.twin("exact")
    assert exact is not None and exact.error is not None and exact.error.mean < 1e-3


def test_held_out_tasks_choose_how_much_functions_carry_by_command(tmp_path):
    few = {"data": {"train": 24, "val": 16, "test": 16}, "train": {"steps": 4, "batch_size": 8}, "net": {"width": 4}}
    sizes = [f"--{part}.{key}={value}" for part, values in few.items() for key, value in values.items()]
    more = ["--seeds=[0]", "--twins=[learned]", "--chooser.name=validation", f"--out={tmp_path}"]
    assert main(["train", "processes/gibbs", *sizes, *more]) == 0
    few_looks = ["--analysis.equivariance_examples=4", "--analysis.equivariance_samples=2", "--analysis.bootstrap=20"]
    assert main(["analyze", str(tmp_path), *few_looks]) == 0
    (degree,) = json.loads((tmp_path / "symmetry.json").read_text(encoding="utf8"))["degrees"]
    assert degree["method"] == "fixed functions, validation"
    assert 0 <= degree["low"] < degree["estimate"] < degree["high"]
    assert "Functions of location carry" in (tmp_path / "report.html").read_text(encoding="utf8")


def test_choosers_that_functions_do_not_work_with_are_named():
    for name in ("selection", "marginal_likelihood"):
        message = rf"chooser\.name: got '{name}' with the method neural_process.* works with training, validation, and"
        with pytest.raises(ValueError, match=message):
            _config("convcnp", chooser={"name": name})


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("tnp", {"method": {"name": "neural_process", "spacing": 0.5}}, r"method\.spacing: got 0\.5, which the net"),
        ("convcnp", {"method": {"name": "neural_process", "group": "D_4"}}, r"method\.group: got 'D_4', which the net"),
        (
            "convcnp",
            {"method": {"name": "neural_process", "relaxation": "banks", "inputs": 3}},
            r"method\.inputs: got 3, which the relaxation banks does not use",
        ),
        ("convcnp", {"method": {"name": "neural_process", "box": [2.0, 1.0]}}, r"method\.box: got \[2\.0, 1\.0\]"),
        ("convcnp", {"method": {"name": "neural_process", "kernel": 4}}, r"method\.kernel: got 4, must be odd; take 5"),
        ("convcnp", {"method": {"name": "neural_process", "drop": 1.0}}, r"method\.drop: got 1\.0"),
        ("equivcnp", {"method": {"name": "neural_process", "group": "SO(2)"}}, r"method\.group: got 'SO\(2\)'"),
        ("convcnp", {"loss": {"name": "mse"}}, r"loss\.name: got 'mse'.* must be one of gaussian"),
        ("convcnp", {"net": {"name": "cnn"}}, r"net\.name: got 'cnn' with the method neural_process"),
        ("convcnp", {"twin": "fixed"}, r"twins: got 'fixed' with the method neural_process"),
    ],
)
def test_settings_that_are_refused(name, more, message):
    with pytest.raises(ValueError, match=message):
        _config(name, **more)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("equivcnp", "gibbs", r"net\.name: got 'equivcnp' for locations of dimension 1, must be 2"),
        ("convcnp", "nbody5", r"method\.name: got 'neural_process' for data of shape \(5, 7\), it takes tasks"),
        ("convcnp", "digits", r"method\.name: got 'neural_process' for data of shape \(1, 28, 28\)"),
    ],
)
def test_data_that_are_refused(name, data, message):
    with pytest.raises(ValueError, match=message):
        build(_config(name, data={"name": data, "train": 24, "val": 8, "test": 8}))


def test_other_methods_refuse_tasks_in_a_sentence():
    data = {"name": "gibbs", "train": 24, "val": 8, "test": 8}
    for method, net in (("augerino", "cnn"), ("fixed_inputs", "gnn")):
        config = {"data": data, "net": {"name": net}, "loss": {"name": "mse"}, "method": {"name": method}}
        with pytest.raises(ValueError, match=r"take|must"):
            build(config_of(config))
