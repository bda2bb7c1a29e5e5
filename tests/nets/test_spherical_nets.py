"""Spherical networks: exact where nothing aliases, nearly so with a ReLU, and what they refuse."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.actions import BandLimitedSphere
from learnsym.nets import NetConfig, SphericalCNN, SphericalUNet, build, parameter_count, usual_band_limits

KINDS = (SphericalCNN, SphericalUNet)


class Square(nn.Module):
    def forward(self, x):
        return x * x


def error(net, limit, size=16, dtype=torch.float64):
    """Largest difference after and before a turn, relative to the largest output, of band-limited pictures."""
    move = BandLimitedSphere(limit)
    g = ls.groups.SO3().haar(4, dtype=dtype)
    x = move(ls.groups.SO3().identity(4, dtype=dtype), torch.randn(4, 1, size, size, dtype=dtype))
    before, after = net(x), net(move(g, x))
    if before.ndim == 4:
        before = move(g, before)
    return float(((after - before).abs().max() / before.abs().max()).detach())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("azimuthal", [None, 2])
@pytest.mark.parametrize("limits", [(6,), (6, 4), (5, 4, 3)])
def test_networks_without_aliasing_are_exact(kind, azimuthal, limits):
    net = kind(1, 3, (16, 16), 3, limits, azimuthal, activation=Square).double()
    assert error(net, 8) < 1e-8


@pytest.mark.parametrize("kind", KINDS)
def test_a_finer_grid_makes_a_relu_more_exact(kind):
    errors = []
    for oversampling in (1.0, 1.5, 3.0):
        torch.manual_seed(0)
        errors.append(error(kind(1, 3, (16, 16), 4, (6, 4), oversampling=oversampling).double(), 8))
    assert errors[0] > 1.5 * errors[1] > 2 * errors[2] and errors[2] < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_panoramas_need_not_be_square(kind):
    net = kind(3, 5, (12, 24), 2)
    assert net(torch.rand(2, 3, 12, 24)).shape in {(2, 5), (2, 5, 12, 24)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_has_a_gradient(kind):
    net = kind(1, 3, (12, 12), 3, (6, 4, 3), norm="none")
    net(torch.rand(2, 1, 12, 12)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_numbers_of_parameters_that_are_stated():
    """24 weights for a pair of channels from or to the sphere, 192 on SO(3)."""
    net = SphericalUNet(1, 11, (40, 40), 8)
    assert usual_band_limits(40, 40) == (10, 6)
    # convolutions, with scales and shifts of the norms, and the biases of the last layer
    assert parameter_count(net) == 24 * 8 + 192 * 8 * 12 * 2 + 24 * 16 * 11 + 2 * (8 + 12 + 8) + 11 == 41_347


def test_networks_by_name():
    for name, shape in (("spherical", (2, 10)), ("spherical_unet", (2, 10, 12, 12))):
        net = build(NetConfig(name=name, width=2, depth=2), (1, 12, 12), 10)
        assert net(torch.rand(2, 1, 12, 12)).shape == shape
    with pytest.raises(ValueError, match="norm: got 'batch' for a spherical network"):
        build(NetConfig(name="spherical", norm="batch"), (1, 12, 12), 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": (6, 6)}, "size: got pictures of 6x6, too small"),
        ({"size": (16, 16), "band_limits": (9,)}, "band_limits: got .9. for pictures of 16x16.* from 1 to 8"),
        ({"size": (16, 16), "band_limits": ()}, "band_limits: got .. for"),
        ({"size": (16, 16), "width": 0}, "width: got 0"),
        ({"size": (16, 16), "oversampling": 0.9}, "oversampling: got 0.9"),
        ({"size": (16, 16), "azimuthal": 0}, "azimuthal: got 0"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_settings_that_do_not_fit_are_refused(kind, options, words):
    with pytest.raises(ValueError, match=words):
        kind(1, 3, **options)


def test_flops_of_spherical_networks_are_counted():
    cost = ls.nets.cost.flops(SphericalCNN(1, 10, (12, 12), 3), torch.rand(2, 1, 12, 12))
    assert cost.training > cost.inference > 0
