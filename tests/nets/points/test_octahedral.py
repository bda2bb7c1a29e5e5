"""Linear maps of the octahedral transformer, and what it refuses; its laws are those of all networks of points."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud
from learnsym.nets.points import OctahedralTransformer, PointTransformer
from learnsym.nets.points.octahedral import FieldLinear
from learnsym.representations import Regular

GROUPS = {"O": ls.groups.Octahedral(), "O_h": ls.groups.SignedPermutations()}


@pytest.mark.parametrize("name", GROUPS)
def test_maps_of_fields_commute_with_every_element(name):
    group = GROUPS[name]
    layer, x = FieldLinear(group, 2, 3).double(), torch.randn(4, 2, len(group.components), dtype=torch.float64)
    with torch.no_grad():
        layer.bias.normal_()
    for matrix in Regular(group)(group.components):
        moved = (x @ matrix.T).flatten(1)
        torch.testing.assert_close(
            layer(moved).unflatten(1, (3, -1)), layer(x.flatten(1)).unflatten(1, (3, -1)) @ matrix.T
        )


def test_no_map_that_commutes_is_left_out():
    group = GROUPS["O"]
    regular, count = Regular(group), len(group.components)
    rho = regular(group.components).double()
    # dim Hom = mean of the squared character
    assert (
        FieldLinear(group, 1, 1).weight.numel()
        == round(float(rho.diagonal(dim1=1, dim2=2).sum(1).square().mean()))
        == count
    )


def test_a_24th_of_the_weights_at_the_width_of_the_plain_one():
    cloud = PointCloud(vectors=1, scalars=1)
    sizes = {"width": 96, "blocks": 2, "heads": 4}
    nets = OctahedralTransformer(cloud, **sizes), PointTransformer(cloud, **sizes)
    counts = [sum(p.numel() for p in net.blocks.parameters() if p.dim() > 1) for net in nets]
    assert 24 * counts[0] == counts[1]


def test_other_turns_are_not_built_in():
    cloud = PointCloud(vectors=1)
    net = OctahedralTransformer(cloud, width=48, blocks=1, heads=2).double()
    x, g = torch.randn(3, 5, 6, dtype=torch.float64), torch.eye(4, dtype=torch.float64).repeat(3, 1, 1)
    g[:, :3, :3] = ls.groups.SO3().exp(torch.tensor([[0.0, 0.0, 0.4]], dtype=torch.float64)).expand(3, 3, 3)
    assert (net(cloud(g, x)) - cloud(g, net(x))).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 100}, "width: got 100, must be a multiple of 192, the elements of O times heads=8"),
        ({"width": 192, "elements": "O_h"}, "must be a multiple of 384, the elements of O_h times heads=8"),
        ({"elements": "I"}, "elements: got 'I', must be one of O, O_h"),
        ({"heads": 0}, "heads"),
    ],
)
def test_bad_input(options, words):
    with pytest.raises(ValueError, match=words):
        OctahedralTransformer(PointCloud(), **options)
