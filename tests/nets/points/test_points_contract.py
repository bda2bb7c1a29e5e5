"""Laws of all networks of points."""

from __future__ import annotations

import copy
import pickle

import jaxtyping
import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.points import (
    EGNN,
    GNN,
    Canonicalised,
    ClofNet,
    ClofNetE3,
    FrameAveraged,
    GATr,
    OctahedralTransformer,
    PointTransformer,
    assemble,
    vector_count,
)
from learnsym.ragged import Ragged

SIZES = {"hidden": 8, "layers": 2}
TRANSFORMER = {"blocks": 2, "heads": 4}

NETS = {
    "EGNN": lambda inputs, outputs: EGNN(inputs, outputs, **SIZES),
    "ClofNet": lambda inputs, outputs: ClofNet(inputs, outputs, **SIZES),
    "ClofNetE3": lambda inputs, outputs: ClofNetE3(inputs, outputs, **SIZES),
    "GNN": lambda inputs, outputs: GNN(inputs, outputs, **SIZES),
    "FrameAveraged": lambda inputs, outputs: FrameAveraged(GNN(inputs, outputs, **SIZES), inputs, outputs),
    "FrameAveraged SE(3)": lambda inputs, outputs: FrameAveraged(
        GNN(inputs, outputs, **SIZES), inputs, outputs, ls.groups.SE3()
    ),
    "Canonicalised": lambda inputs, outputs: Canonicalised(GNN(inputs, outputs, **SIZES), inputs, outputs, **SIZES),
    "GATr": lambda inputs, outputs: GATr(inputs, outputs, channels=8, scalars=16, **TRANSFORMER),
    "GATr SE(3)": lambda inputs, outputs: GATr(inputs, outputs, channels=8, scalars=16, group="SE(3)", **TRANSFORMER),
    "PointTransformer": lambda inputs, outputs: PointTransformer(inputs, outputs, width=16, **TRANSFORMER),
    "Octahedral O": lambda inputs, outputs: OctahedralTransformer(inputs, outputs, width=96, **TRANSFORMER),
    "Octahedral O_h": lambda inputs, outputs: OctahedralTransformer(
        inputs, outputs, width=192, elements="O_h", **TRANSFORMER
    ),
}
"""Constructors of all networks; a new one joins here and has the laws below to keep."""

DISCONTINUOUS = {"FrameAveraged", "FrameAveraged SE(3)"}
"""Exact where the axes of a cloud are unique."""

TYPES = [
    (PointCloud(1, 1), PointCloud()),
    (PointCloud(1, 1), PointCloud(1, 1)),
    (PointCloud(0, 2), PointVectors()),
    (PointCloud(2, 0), PointVectors(2, 3)),
    (PointCloud(0, 2), PointVectors(0, 1)),
    (PointCloud(), PointCloud()),
]

every_net = pytest.mark.parametrize("name", NETS)
every_type = pytest.mark.parametrize(("inputs", "outputs"), TYPES, ids=lambda types: repr(types).replace(" ", ""))


def _net(name, inputs=TYPES[0][0], outputs=TYPES[0][1], dtype=torch.float64):
    """A network away from its start, where some parts are nearly 0."""
    net = NETS[name](inputs, outputs).to(dtype)
    with torch.no_grad():
        for weight in net.parameters():
            weight += 0.2 * torch.randn_like(weight)
    return net


def _clouds(inputs=TYPES[0][0], clouds=6, points=5, dtype=torch.float64):
    return torch.randn(clouds, points, inputs.features, dtype=dtype)


REFLECTIONS, ROTATIONS = ("E(3)", "O_h"), ("SE(3)", "O")
"""Names of the groups of networks, all of which hold the shifts, too."""


def _motions(clouds, determinant, shift=10.0, group=None):
    """Motions of a determinant: with any turns, or those of a cube where the group has no others."""
    finite = group is not None and group.name in ("O", "O_h")
    turns = (ls.groups.Octahedral() if finite else ls.groups.SO3()).haar(clouds, dtype=torch.float64)
    g = torch.eye(4, dtype=torch.float64).repeat(clouds, 1, 1)
    g[:, :3, :3] = determinant * turns
    g[:, :3, 3] = shift * torch.randn(clouds, 3, dtype=torch.float64)
    return g


@torch.no_grad()
def _defect(net, x, g):
    """Largest `|f(g x) - g f(x)|` over the size of the predicted displacements."""
    y = net(x)
    moved = y if isinstance(net.outputs, PointVectors) else torch.cat([y[..., :3] - x[..., :3], y[..., 3:]], -1)
    return float((net(net.inputs(g, x)) - net.outputs(g, y)).abs().max() / moved.abs().max().clamp(min=1e-3))


def _degenerate(inputs, dtype=torch.float64):
    """Coincident points, points on a line (through the centroid of course), equal points, two points, one point."""
    x = torch.randn(2, 5, inputs.features, dtype=dtype)
    coincident, line, vectors_on_line, equal = x.clone(), x.clone(), x.clone(), x.clone()
    coincident[:, 1, :3] = coincident[:, 0, :3]
    steps = torch.arange(5, dtype=dtype)[:, None]
    line[..., :3] = steps * torch.tensor([1.0, 2.0, -1.0], dtype=dtype)
    for k in range(0, 3 * (1 + inputs.vectors), 3):
        vectors_on_line[..., k : k + 3] = steps * torch.tensor([1.0, 2.0, -1.0], dtype=dtype)
    equal[...] = 1.0
    return {
        "coincident": coincident,
        "line": line,
        "vectors on the line": vectors_on_line,
        "equal": equal,
        "zero": torch.zeros_like(x),
        "two": x[:, :2],
        "one": x[:, :1],
    }


@every_net
@every_type
def test_exact(name, inputs, outputs):
    net, x = _net(name, inputs, outputs), _clouds(inputs)
    if net.group is None:
        assert _defect(net, x, _motions(len(x), 1.0)) > 1e-3
        return
    assert net.group.name in (*REFLECTIONS, *ROTATIONS)
    for determinant in (1.0, -1.0) if net.group.name in REFLECTIONS else (1.0,):
        assert _defect(net, x, _motions(len(x), determinant, group=net.group)) <= 1e-10


@every_net
def test_rotations_only_are_not_reflections(name):
    net, x = _net(name), _clouds()
    if net.group is not None and net.group.name in ROTATIONS:
        assert _defect(net, x, _motions(len(x), -1.0, group=net.group)) > 1e-6


@every_net
@every_type
def test_permutations(name, inputs, outputs):
    net, x = _net(name, inputs, outputs), _clouds(inputs)
    order = torch.randperm(x.shape[1])
    torch.testing.assert_close(net(x[:, order]), net(x)[:, order], rtol=1e-10, atol=1e-10)


@every_net
def test_clouds_do_not_see_each_other(name):
    net, x = _net(name), _clouds()
    torch.testing.assert_close(net(x)[:2], net(x[:2]), rtol=1e-10, atol=1e-10)


@every_net
@every_type
def test_degenerate_clouds_are_finite(name, inputs, outputs):
    net = _net(name, inputs, outputs)
    for kind, x in _degenerate(inputs).items():
        y = net(x.requires_grad_())
        assert y.shape == (*x.shape[:2], outputs.features), kind
        gradients = torch.autograd.grad(y.square().sum(), [x, *net.parameters()], allow_unused=True)
        finite = all(gradient.isfinite().all() for gradient in gradients if gradient is not None)
        assert y.isfinite().all() and finite, kind


@every_net
def test_degenerate_clouds_are_exact(name):
    net = _net(name)
    if name in DISCONTINUOUS or net.group is None:
        return
    for kind, x in _degenerate(net.inputs).items():
        # what Gram and Schmidt divide by is small there, as are rounding errors times its inverse
        assert _defect(net, x, _motions(len(x), 1.0, shift=0.0, group=net.group)) <= 1e-8, kind


@every_net
@every_type
def test_gradients_reach_every_parameter(name, inputs, outputs):
    net = _net(name, inputs, outputs)
    net(_clouds(inputs)).square().sum().backward()
    unused = {n for n, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()}
    # what it adds to all weights of centred positions adds nothing to their sum
    assert unused <= ({"weights.readout.bias"} if name == "Canonicalised" and not inputs.vectors else set())


@every_net
def test_copies(name):
    net, x = _net(name), _clouds()
    y = net(x)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(twin(x), y)
    other = _net(name)
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(other(x), y)
    values = {key: weight.detach() for key, weight in net.named_parameters()}
    torch.testing.assert_close(torch.func.functional_call(net, values, (x,)), y)


@every_net
def test_compiles(name, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    monkeypatch.setitem(TRANSFORMER, "blocks", 1)  # the compiler unrolls blocks, which are alike
    net, x = _net(name), _clouds()
    torch.testing.assert_close(torch.compile(net, fullgraph=True, backend="eager")(x), net(x))


@every_net
def test_vmaps_over_weights(name):
    net, x = _net(name), _clouds()
    stacked = {key: torch.stack([weight.detach()] * 2) for key, weight in net.named_parameters()}
    both = torch.func.vmap(lambda values: torch.func.functional_call(net, values, (x,)))(stacked)
    torch.testing.assert_close(both[1], net(x))


@every_net
@every_type
def test_padding_changes_nothing(name, inputs, outputs):
    """Each cloud of a padded batch gets what it gets alone, whatever stands in the padding."""
    net = _net(name, inputs, outputs)
    clouds = [_clouds(inputs, 1, size)[0] for size in (4, 7, 1, 5)]
    ragged = Ragged.of(clouds)
    filled = ragged.carrying(torch.where(ragged.mask.unsqueeze(-1), ragged.x, 1e3))
    for batch in (ragged, filled):
        y = net(batch)
        for cloud, of_batch in zip(clouds, ragged.clouds(y), strict=True):
            alone = net(cloud[None])[0]
            assert (of_batch - alone).abs().max() <= 1e-12 * alone.abs().max().clamp(min=1)
        padding = y[~ragged.mask]
        stays = 0 if isinstance(outputs, PointVectors) else 3
        assert torch.equal(padding[:, :stays], batch.x[~ragged.mask][:, :stays]) and not padding[:, stays:].any()


@every_net
@torch.no_grad()
def test_padding_in_single_precision(name):
    """Padding costs no more than single precision does."""
    net = NETS[name](*TYPES[1])
    clouds = [_clouds(TYPES[1][0], 1, size, torch.float32)[0] for size in (4, 7, 5)]
    ragged = Ragged.of(clouds)
    exact = copy.deepcopy(net).double()
    rounding = max(float((net(cloud[None]) - exact(cloud[None].double())).norm()) for cloud in clouds)
    for cloud, of_batch in zip(clouds, ragged.clouds(net(ragged)), strict=True):
        alone = net(cloud[None])[0]
        assert (of_batch - alone).norm() <= max(1e-6 * alone.norm(), 3 * rounding)


@every_net
def test_padding_and_gradients(name):
    """No gradient reaches padding, and that of weights is that of clouds one by one."""
    net, clouds = _net(name), [_clouds(points=size)[0] for size in (4, 6)]
    ragged = Ragged.of(clouds)
    x = ragged.x.clone().requires_grad_()
    net(ragged.carrying(x))[ragged.mask].square().sum().backward()
    assert not x.grad[~ragged.mask].any() and x.grad.isfinite().all()
    got = [weight.grad.clone() for weight in net.parameters()]
    net.zero_grad()
    for cloud in clouds:
        net(cloud[None]).square().sum().backward()
    for a, weight in zip(got, net.parameters(), strict=True):
        torch.testing.assert_close(a, weight.grad, rtol=1e-8, atol=1e-8)


def test_networks_without_elements_refuse_atomic_numbers():
    ragged = Ragged.of([torch.rand(2, 7)], [torch.ones(2).long()])
    with pytest.raises(ValueError, match="numbers: got atomic numbers, which this network takes none of"):
        _net("EGNN", dtype=torch.float32)(ragged)


@every_net
def test_single_precision(name):
    net, x = _net(name, dtype=torch.float32), _clouds(dtype=torch.float32)
    y = net(x)
    assert y.dtype == torch.float32
    if net.group is not None:
        far = x.clone()
        far[..., :3] += 1000.0
        # numbers near 1000 have steps of 6e-5
        assert (net(far)[..., :3] - 1000.0 - y[..., :3]).abs().max() <= 5e-3 * y.abs().max()
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x)
    half.sum().backward()
    assert half.dtype == torch.float32 and half.isfinite().all()
    assert all(weight.grad.isfinite().all() for weight in net.parameters())
    assert (half - y).abs().max() <= 0.1 * y.abs().max()


@pytest.mark.parametrize("net", [EGNN, ClofNet, ClofNetE3])
def test_many_points_do_not_explode(net):
    net = net(PointCloud(1, 1), PointCloud())
    x = _clouds(clouds=1, points=300, dtype=torch.float32)
    x[..., :3] *= 30.0
    assert (net(x) - x[..., :3]).abs().max() <= 300.0


@every_net
def test_clear_errors(name):
    net = _net(name)
    with pytest.raises(ValueError, match="numbers per point"):
        net(torch.zeros(1, 2, 8, dtype=torch.float64))
    with pytest.raises(ValueError, match="dim"):
        NETS[name](PointCloud(dim=2), PointCloud())
    with pytest.raises(ValueError, match="outputs"):
        NETS[name](PointCloud(), PointVectors(0, 0))


@pytest.mark.parametrize("net", [EGNN, ClofNet, ClofNetE3, GNN])
@pytest.mark.parametrize("size", ["hidden", "layers"])
def test_sizes_are_positive(net, size):
    with pytest.raises(ValueError, match=f"{size}: got 0"):
        net(PointCloud(), PointCloud(), **{size: 0})


def test_numbers_of_parameters():
    inputs, outputs = PointCloud(1, 1), PointCloud()
    # published: 134,020, 160,964 and 104,387, with no charges among the features of points
    counts = [sum(weight.numel() for weight in net(inputs, outputs).parameters()) for net in (EGNN, ClofNet, GNN)]
    assert counts == [134_084, 156_100, 104_451]


def test_assembly():
    positions, vectors, scalars = torch.randn(2, 5, 3), torch.randn(2, 5, 2, 3), torch.randn(2, 5, 1)
    assert vector_count(PointCloud(1, 1)) == vector_count(PointVectors(2, 1)) == 2
    cloud = PointCloud(1, 1).split(assemble(PointCloud(1, 1), positions, vectors, scalars))
    assert torch.equal(cloud.positions, positions + vectors[:, :, 0])
    assert torch.equal(cloud.vectors[:, :, 0], vectors[:, :, 1]) and torch.equal(cloud.scalars, scalars)
    points = PointVectors(2, 1).split(assemble(PointVectors(2, 1), positions, vectors, scalars))
    assert torch.equal(points.vectors, vectors) and torch.equal(points.scalars, scalars)
