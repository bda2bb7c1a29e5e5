"""Free paths beside the layers of a graph network: exact at a gain of 0, else without rotations."""

import copy

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.data import Ragged
from learnsym.equivariant.twins import exact_twin
from learnsym.nets.points import EGNN, GNN, with_free_paths
from learnsym.relax import gained_layers, truncate

INPUTS = ls.actions.PointCloud(vectors=1, scalars=1)
OUTPUTS = ls.actions.PointCloud()


@pytest.fixture
def net():
    torch.manual_seed(0)
    return with_free_paths(EGNN(INPUTS, OUTPUTS, hidden=8, layers=2), start=0.5).double()


def test_free_paths_break_rotations_and_keep_translations_and_permutations(net):
    x = torch.randn(4, 5, 7, dtype=torch.float64)
    turned = ls.Symmetry(ls.groups.SO3(), INPUTS, OUTPUTS)
    assert ls.measure.equivariance_error(net, x, turned).mean > 1e-2
    shift = torch.tensor([3.0, -2.0, 1.0], dtype=torch.float64)
    moved = x.clone()
    moved[..., :3] += shift
    torch.testing.assert_close(net(moved), net(x) + shift)
    torch.testing.assert_close(net(x.flip(1)), net(x).flip(1))


def test_truncated_it_is_the_exact_twin_and_equivariant_to_rounding(net):
    x = torch.randn(4, 5, 7, dtype=torch.float64)
    twin, cut = exact_twin(net), truncate(copy.deepcopy(net))
    torch.testing.assert_close(twin(x), cut(x))
    assert not any(key.startswith("layers.0.layer") for key in twin.state_dict())
    rotations = ls.Symmetry(ls.groups.SO3(), INPUTS, OUTPUTS)
    assert ls.measure.equivariance_error(cut, x, rotations).mean < 1e-14
    single = cut.float()
    assert ls.measure.equivariance_error(single, x.float(), rotations).mean < 1e-5


def test_the_degree_is_the_share_of_changes(net):
    x = torch.randn(64, 5, 7, dtype=torch.float64)
    path = net.layers[-1]
    kept = {}
    path.phi.register_forward_hook(lambda module, inputs, outputs: kept.update(free=outputs.detach()))

    def changes(module, inputs, outputs):
        kept["exact"] = torch.cat([outputs[0] - inputs[0], (outputs[1] - inputs[2]).flatten(2)], -1).detach()

    path.layer.register_forward_hook(changes)
    net.train()(x)
    expected = 0.5 * kept["free"].square().mean().sqrt() / kept["exact"].square().mean().sqrt()
    assert path.degrees("layer:1")[0].estimate == pytest.approx(float(expected))
    before = path.degrees("layer:1")[0].estimate
    net.eval()(3 * x)
    assert path.degrees("layer:1")[0].estimate == before


def test_padding_is_not_seen(net):
    clouds = [torch.randn(n, 7, dtype=torch.float64) for n in (3, 5)]
    padded = Ragged.of(clouds)
    wider = Ragged(nn.functional.pad(padded.x, (0, 0, 0, 4)), nn.functional.pad(padded.mask, (0, 4)))
    torch.testing.assert_close(net(padded)[0, :3], net(clouds[0][None])[0])
    other = copy.deepcopy(net)
    net.train()(padded), other.train()(wider)
    sizes = [[float(path.relative_size().detach()) for path in gained_layers(each).values()] for each in (net, other)]
    assert sizes[0] == pytest.approx(sizes[1])


def test_every_parameter_gets_a_gradient(net):
    net.train()(torch.randn(4, 5, 7, dtype=torch.float64)).square().sum().backward()
    assert not [name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.any())]


def test_the_projection_is_that_of_equivariant_maps(net):
    path = net.layers[0]
    read = ls.equivariant.FieldType.irreps(ls.groups.SO3(), {0: 1, 1: path.seen_vectors})
    linear = ls.equivariant.EquivariantLinear(
        read, ls.equivariant.FieldType.irreps(ls.groups.SO3(), {1: path.moved})
    ).double()
    weights = torch.randn(3 * path.moved, 1 + 3 * path.seen_vectors, dtype=torch.float64)
    torch.testing.assert_close(path.departure(weights), weights - ls.equivariant.nearest_kernel(linear, weights))


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match=r"^net: got GNN, must be nets.points.EGNN"):
        with_free_paths(GNN(INPUTS, OUTPUTS))
    with pytest.raises(ValueError, match=r"^moved: got 0"):
        with_free_paths(EGNN(INPUTS, ls.actions.PointVectors(vectors=0, scalars=1), hidden=4, layers=1))
