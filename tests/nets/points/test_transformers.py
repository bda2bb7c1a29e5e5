"""Laws of the geometric algebra transformer and of the plain one that the contract of all networks does not state."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.cost import flops
from learnsym.nets.points.gatr import GATr
from learnsym.nets.points.transformer import PointTransformer

SIZES = {"blocks": 2, "channels": 8, "scalars": 16, "heads": 4}
INPUTS, OUTPUTS = PointCloud(2, 1), PointCloud(1, 1)


def _net(group, inputs=INPUTS, outputs=OUTPUTS, **sizes):
    net = GATr(inputs, outputs, **(SIZES | sizes), group=group).double()
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.1 * torch.randn_like(weight)
    return net


def _moved(net, x, kind):
    """`|f(g x) - g f(x)|`, largest, for one kind of motion."""
    g = torch.eye(4, dtype=torch.float64).repeat(len(x), 1, 1)
    if kind == "translation":
        g[:, :3, 3] = 10 * torch.randn(len(x), 3, dtype=torch.float64)
    else:
        g[:, :3, :3] = ls.groups.SO3().haar(len(x), dtype=torch.float64) * (-1 if kind == "reflection" else 1)
    with torch.no_grad():
        return float((net(net.inputs(g, x)) - net.outputs(g, net(x))).abs().max())


KINDS = {
    "E(3)": ("rotation", "translation", "reflection"),
    "SE(3)": ("rotation", "translation"),
    "SO(3)": ("rotation",),
}


@pytest.mark.parametrize("outputs", [OUTPUTS, PointVectors(1, 2)], ids=str)
@pytest.mark.parametrize("group", KINDS)
def test_equivariant_under_its_group_alone(group, outputs):
    net, x = _net(group, outputs=outputs), torch.randn(3, 5, INPUTS.features, dtype=torch.float64)
    assert net.group.name == group
    for kind in ("rotation", "translation", "reflection"):
        error = _moved(net, x, kind)
        assert error <= 1e-10 if kind in KINDS[group] else error >= 1e-2, kind


@pytest.mark.parametrize("group", KINDS)
def test_every_blade_is_used(group):
    """The maps of all blades matter in every block."""
    net, x = _net(group), torch.randn(2, 5, INPUTS.features, dtype=torch.float64)
    net(x).square().sum().backward()
    for block in net.blocks:
        # weights of each map, over all pairs of channels
        assert (block.mlp.operands.maps.grad.abs().sum((0, 2)) > 0).all()


def test_velocities_meet():
    """Inner products of velocities and positions change scalars: turning velocities alone is seen."""
    net, x = _net("E(3)"), torch.randn(2, 5, INPUTS.features, dtype=torch.float64)
    turned = x.clone()
    rotation = ls.groups.SO3().haar(1, dtype=torch.float64)[0]
    turned[..., 3:6] = x[..., 3:6] @ rotation.T
    with torch.no_grad():
        assert float((net(turned) - net(x))[..., -1].abs().max()) >= 1e-4


def test_more_maps_in_smaller_groups():
    counts = [sum(weight.numel() for weight in _net(group).parameters()) for group in ("E(3)", "SE(3)", "SO(3)")]
    assert counts == sorted(counts)


def test_second_derivatives():
    net = _net("E(3)", PointCloud(), PointCloud(), blocks=1, channels=4, scalars=2, heads=2)
    x = torch.randn(1, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: net(x).square().sum(), (x,))


@pytest.mark.slow
def test_published_sizes():
    """The nominal FLOPs of both published configurations on gravitating bodies: 6.83e7 and 7.08e7 per token."""
    inputs, outputs = PointCloud(1, 1), PointCloud()
    geometric, plain = GATr(inputs, outputs), PointTransformer(inputs, outputs)
    x = torch.randn(1, 4, inputs.features)
    assert flops(geometric, x).nominal / 4 == pytest.approx(6.83e7, rel=0.01)
    assert flops(plain, x).nominal / 4 == pytest.approx(7.08e7, rel=0.01)
    assert sum(weight.numel() for weight in plain.parameters()) == pytest.approx(11_827_587, rel=0.01)


def test_transformer_of_inputs_alone():
    net = PointTransformer(INPUTS, width=16, blocks=1, heads=4)
    assert net.outputs == INPUTS and net.group is None
    assert net(torch.randn(2, 5, INPUTS.features)).shape == (2, 5, INPUTS.features)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "O(3)"}, "group: got 'O"),
        ({"channels": 6}, "channels: got 6"),
        ({"channels": 12, "heads": 8}, "channels: got 12"),
        ({"scalars": 6}, "scalars: got 6"),
        ({"blocks": 0}, "blocks: got 0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        GATr(INPUTS, OUTPUTS, **(SIZES | options))


def test_errors_of_the_transformer():
    with pytest.raises(ValueError, match="width: got 10"):
        PointTransformer(INPUTS, width=10, heads=4)
