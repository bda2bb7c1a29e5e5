"""The method for pictures of the sphere: its twins, and a range of rotations that the data decide."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented
from learnsym.distributions import learnable
from learnsym.methods import registry
from learnsym.nets import SphericalCNN, SphericalUNet, parameter_count
from learnsym.objectives import choosers
from tests.methods.conftest import tiny

MASKS = {"name": "spherical-digits", "size": 8, "train": 24, "val": 16, "test": 16}


def panoramas(n, height=8, width=16):
    """A light above or below the horizon, at any longitude: the class is on which side."""
    points = ls.representations.sphere_points(height, width).float()
    y = torch.arange(n) % 2
    latitude = (0.35 + 0.5 * torch.rand(n)) * (2 * y - 1)
    longitude = 2 * torch.pi * torch.rand(n)
    centre = torch.stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], -1)
    x = ((torch.einsum("hwi,ni->nhw", points, centre) - 1) * 12).exp()[:, None]
    return x, y


@pytest.mark.slow
def test_upright_panoramas_open_turns_about_the_vertical_and_close_tilts():
    """The label tells which way is up: Augerino on the sphere learns SO(2) of SO(3), from 54° about each axis."""
    torch.manual_seed(0)
    x, y = panoramas(128)
    net = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
    symmetry = ls.symmetry_by_name("sphere")
    model = Augmented(net, symmetry, learnable(symmetry.group, 0.3))
    objective = ls.objectives.Augerino(ls.objectives.cross_entropy, weight=0.05)
    data = ls.data.Dataset(x, y, "panoramas", 2)
    optimiser = ls.training.OptimiserConfig(lr=1e-2, symmetry_lr=3e-2, weight_decay=0.0)
    ls.training.fit(model, objective, ls.data.Batches(data, 64, 0), steps=200, optimiser=optimiser, seed=0)
    widths = {degree.generator: degree.estimate for degree in ls.degrees(model)}
    assert widths["rotation_z"] > 150 and max(widths["rotation_x"], widths["rotation_y"]) < 30, widths


@pytest.mark.parametrize(("output", "kind"), [("invariant", SphericalCNN), ("equivariant", SphericalUNet)])
def test_the_exact_twin_is_a_spherical_network_with_about_as_many_parameters(output, kind):
    method = registry["spherical"](output=output)
    net = ls.nets.NetConfig(name="segmentation" if output == "equivariant" else "cnn", width=14, depth=2)
    data = ls.data.Signature(in_shape=(1, 16, 16), classes=10, on_sphere=True)
    loss = ls.objectives.LossConfig(name="segmentation" if output == "equivariant" else "cross_entropy")
    setups = {twin: ls.methods.Setup(net=net, data=data, twin=twin, loss=loss) for twin in ("exact", "plain")}
    exact, plain = (method.model(setup) for setup in setups.values())
    assert isinstance(exact, kind)
    assert parameter_count(exact) == pytest.approx(parameter_count(plain), rel=0.2)


@pytest.mark.parametrize("twin", ["learned", "plain", "fixed", "exact"])
def test_masks_train_with_every_twin(twin, tmp_path):
    method = registry["spherical"](output="equivariant", levels=1, test_copies=2)
    config = replace(
        tiny("spherical"),
        data=ls.data.DataConfig(**MASKS, sphere=ls.data.SphereConfig(masks=True)),
        net=ls.nets.NetConfig(name="segmentation", width=4, depth=1),
        loss=ls.objectives.LossConfig(name="segmentation"),
        method=method,
        twins=[twin],
    )
    (run,) = ls.training.train(config, tmp_path)
    scores = ls.training.evaluate(run.model(), run.splits().test, config.loss.function())
    assert {"accuracy", "iou", "recall"} <= scores.keys()


@pytest.mark.parametrize(
    ("settings", "net", "loss", "words"),
    [
        ({}, "cnn", "segmentation", "method.output: got 'invariant' with the loss segmentation"),
        ({"output": "equivariant"}, "cnn", "cross_entropy", "method.output: got 'equivariant' with the loss cross_"),
        ({"oversampling": 0.5}, "cnn", "cross_entropy", "method.oversampling: got 0.5"),
        ({"levels": 0}, "cnn", "cross_entropy", "method.levels: got 0"),
        ({}, "spherical", "cross_entropy", "net.name: got 'spherical' with the method spherical"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, net, loss, words):
    with pytest.raises(ValueError, match=words):
        method = registry["spherical"](**settings)
        method.check(
            ls.nets.NetConfig(name=net),
            ls.objectives.LossConfig(name=loss),
            ["exact"],
            choosers.registry["training"](),
        )


def test_pictures_of_the_plane_are_refused():
    config = tiny("spherical", data={"name": "digits", "size": 9, "train": 24, "val": 16, "test": 16})
    with pytest.raises(ValueError, match="even number of columns"):
        ls.training.build(config)
