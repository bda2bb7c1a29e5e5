"""The method `constrained` on clouds of points, and what it refuses."""

import pytest

import learnsym as ls
from learnsym.data import Batches
from learnsym.methods import registry
from learnsym.nets import NetConfig
from learnsym.objectives import LossConfig
from learnsym.objectives.choosers import Modulation
from learnsym.relax import gained_layers, truncate
from learnsym.training import build, fit
from tests.methods.conftest import BODIES, tiny

CLOUDS = {
    "data": BODIES,
    "net": {"name": "gnn", "width": 8, "depth": 2},
    "loss": {"name": "mse"},
}


@pytest.mark.parametrize("chooser", ["equality", "modulation", "forward_selection"])
def test_graph_networks_have_free_paths_whose_gains_the_chooser_holds(chooser):
    model, objective, splits = build(tiny("constrained", chooser, **CLOUDS))
    layers = gained_layers(model)
    assert list(layers) == ["layers.0", "layers.1"]
    assert all(layer.gain.value.requires_grad == (chooser != "modulation") for layer in layers.values())
    assert len(fit(model, objective, Batches(splits.train, 8), steps=3).losses) == 3
    so3 = splits.train.signature.symmetry("so3")
    assert ls.measure.equivariance_error(truncate(model), splits.test.x, so3).mean < 1e-5


def test_twins_have_no_free_path():
    for twin in ("exact", "plain"):
        model, _, _ = build(tiny("constrained", **CLOUDS, twin=twin, twins=[]))
        with pytest.raises(ValueError, match=r"^model: "):
            gained_layers(model)


def test_other_exact_networks_are_refused_before_data_are_read():
    net = {**CLOUDS["net"], "exact": "clofnet"}
    with pytest.raises(ValueError, match=r"^net\.exact: got 'clofnet' with the method constrained, must be egnn"):
        tiny("constrained", **{**CLOUDS, "net": net})


def test_a_start_that_modulation_does_not_use_is_refused():
    method = registry["constrained"](start=0.5)
    with pytest.raises(ValueError, match=r"^method\.start: got 0\.5, which the chooser modulation does not use"):
        method.check(NetConfig(name="steerable"), LossConfig(), ["learned"], Modulation())


def test_kernels_that_nothing_can_relax_stay_exact():
    model, _, _ = build(tiny("constrained", "equality"))
    assert 0 < len(gained_layers(model)) == len(list(ls.degrees(model))) == 5
