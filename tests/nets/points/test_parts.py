"""Pairs, frames, averages and energies against slow, obvious twins."""

from __future__ import annotations

import itertools

import jaxtyping
import pytest
import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.points import EGNN, GNN, Canonicalised, ClofNet, Energy, FrameAveraged
from learnsym.nets.points.canonicalised import gram_schmidt
from learnsym.nets.points.frame_averaging import principal_axes
from learnsym.nets.points.local_frames import components, local_frames, pseudo_angle
from learnsym.nets.points.pairs import PairLinear, pair_mean, pair_sum

DOUBLE = {"dtype": torch.float64}


def test_pair_linear_is_a_linear_layer_of_the_concatenation():
    for pairs in (0, 3):
        layer = PairLinear(4, pairs, 6).double()
        h, e = torch.randn(2, 5, 4, **DOUBLE), torch.randn(2, 5, 5, pairs, **DOUBLE)
        y = layer(h, e)
        for i, j in itertools.product(range(5), repeat=2):
            torch.testing.assert_close(y[:, i, j], layer.linear(torch.cat([h[:, i], h[:, j], e[:, i, j]], -1)))


def test_sums_leave_the_diagonal_out():
    m = torch.randn(2, 4, 4, 3, **DOUBLE)
    for i in range(4):
        others = torch.stack([m[:, i, j] for j in range(4) if j != i], 1)
        torch.testing.assert_close(pair_sum(m)[:, i], others.sum(1))
        torch.testing.assert_close(pair_mean(m)[:, i], others.mean(1))
    assert not pair_mean(torch.randn(2, 1, 1, 3)).any()


def test_components_are_inner_products():
    x, v = torch.randn(1, 3, 3, **DOUBLE), torch.randn(1, 3, 2, 3, **DOUBLE)
    frames = local_frames(x)
    plane, normal = components(frames, x, v)
    assert plane.shape[-1] == 12 and normal.shape[-1] == 4
    for i, j in itertools.product(range(3), repeat=2):
        a, b, c = frames[0, i, j]
        first, second = torch.cat([x[0, i, None], v[0, i]]), torch.cat([x[0, j, None], v[0, j]])
        want = torch.cat([first @ a, second @ a, first @ c, second @ c])
        torch.testing.assert_close(plane[0, i, j], want)
        torch.testing.assert_close(normal[0, i, j], torch.cat([first @ b, second @ b])[[1, 2, 4, 5]])
        torch.testing.assert_close(first[0] @ b, torch.zeros((), **DOUBLE), atol=1e-12, rtol=0)


def test_frames_are_orthogonal_and_fade():
    x = torch.randn(2, 5, 3, **DOUBLE)
    frames = local_frames(x)
    gram = frames @ frames.mT
    assert (gram - gram.diagonal(dim1=-2, dim2=-1).diag_embed()).abs().max() <= 1e-12
    assert gram.diagonal(dim1=-2, dim2=-1).max() < 1
    assert local_frames(1e6 * x)[:, 0, 1].norm(dim=-1).min() > 0.99
    line = torch.arange(-2.0, 3.0)[None, :, None] * torch.tensor([1.0, 2.0, 3.0])
    assert local_frames(line)[..., 1:, :].abs().max() <= 1e-6
    assert not local_frames(torch.zeros(1, 2, 3)).any()


def test_pseudo_angle_has_no_steep_slope_on_a_line():
    x = torch.tensor([[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]], requires_grad=True)
    slope = torch.autograd.grad(pseudo_angle(x)[..., 1].sum(), x)[0]
    assert slope.isfinite().all() and slope.abs().max() <= 1


def test_principal_axes_and_their_gradients():
    v = torch.randn(3, 5, 2, 3, **DOUBLE)
    u = principal_axes(v)
    c = sum(torch.einsum("bni,bnj->bij", w, w) / w.square().sum((1, 2))[:, None, None] for w in v.unbind(2))
    diagonal = u.mT @ c @ u
    assert (diagonal - diagonal.diagonal(dim1=-2, dim2=-1).diag_embed()).abs().max() <= 1e-12
    # signs of columns may differ between calls of the decomposition, outer products do not
    v = v[:1].requires_grad_()
    torch.autograd.gradcheck(lambda w: principal_axes(w)[..., 0].square(), v, rtol=1e-3)


def test_gram_schmidt_makes_rotations():
    y = torch.randn(7, 2, 3, **DOUBLE)
    assert ls.groups.SO3().contains(gram_schmidt(100 * y)).all()
    assert gram_schmidt(torch.zeros(1, 2, 3)).abs().max() == 0


@pytest.mark.parametrize("wrap", [FrameAveraged, Canonicalised])
def test_wrapped_gradients_are_exact(wrap):
    inputs, outputs = PointCloud(1), PointVectors()
    net = wrap(GNN(inputs, outputs, hidden=6, layers=1), inputs, outputs).double()
    torch.autograd.gradcheck(net, torch.randn(1, 4, 6, requires_grad=True, **DOUBLE), rtol=1e-3, atol=1e-6)


def test_frame_averaging_is_a_mean_over_frames():
    inputs, outputs = PointCloud(1, 1), PointCloud()
    plain = GNN(inputs, outputs, hidden=6, layers=1).double()
    x = torch.randn(1, 5, 7, **DOUBLE)
    centre = x[..., :3].mean(1)
    moments = [v.mT @ v for v in (x[0, :, :3] - centre, x[0, :, 3:6])]
    axes = torch.linalg.eigh(sum(m / m.trace() for m in moments)).eigenvectors
    total = torch.zeros(1, 5, 3, **DOUBLE)
    for signs in itertools.product((1.0, -1.0), repeat=3):
        g = torch.eye(4, **DOUBLE)[None]
        g[:, :3, :3], g[:, :3, 3] = axes * torch.tensor(signs, **DOUBLE), centre
        total += outputs(g, plain(inputs(ls.groups.E3().inverse(g), x))) / 8
    torch.testing.assert_close(FrameAveraged(plain, inputs, outputs)(x), total)


def test_frame_averaging_takes_two_groups():
    inputs, outputs = PointCloud(), PointCloud()
    with pytest.raises(ValueError, match=r"SO\(3\), must be"):
        FrameAveraged(GNN(inputs, outputs), inputs, outputs, ls.groups.SO3())


@pytest.mark.parametrize("net", [EGNN, ClofNet])
def test_forces_are_minus_the_gradient_of_energies(net):
    inputs, outputs = PointCloud(scalars=2), PointVectors(0, 1)
    energy = Energy(net(inputs, outputs, hidden=8, layers=2)).double()
    assert energy.group is not None
    x = torch.randn(2, 4, 5, **DOUBLE)
    forces = energy.forces(x)
    step = torch.zeros_like(x)
    step[:, 1, 2] = 1e-5
    slope = (energy(x + step) - energy(x - step)) / 2e-5
    torch.testing.assert_close(-slope, forces[:, 1, 2], rtol=1e-6, atol=1e-9)
    # no outer force and, where rotations are kept, no outer torque
    assert forces.sum(1).abs().max() <= 1e-10
    assert torch.linalg.cross(x[..., :3], forces).sum(1).abs().max() <= 1e-10


def test_forces_train_and_need_no_gradient_mode(monkeypatch):
    inputs, outputs = PointCloud(scalars=1), PointVectors(0, 1)
    energy = Energy(EGNN(inputs, outputs, hidden=8, layers=2))
    for x in (torch.randn(2, 4, 4), torch.zeros(2, 4, 4), torch.ones(2, 1, 4)):
        energy.zero_grad()
        (energy.forces(x) + 1).square().sum().backward()
        assert all(w.grad is None or w.grad.isfinite().all() for w in energy.parameters())
    forces = energy.forces(x)
    with torch.no_grad():
        torch.testing.assert_close(energy.forces(x), forces.detach())
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    torch.testing.assert_close(torch.compile(energy.forces, fullgraph=True, backend="eager")(x), forces)


@pytest.mark.parametrize("made", [ls.nets.points.PointTransformer, ls.nets.points.GATr, ls.nets.points.EGNN])
def test_networks_can_be_trained_on_forces(made):
    sizes = {"hidden": 8, "layers": 1} if made is ls.nets.points.EGNN else {"blocks": 1, "heads": 2}
    sizes |= {"channels": 4, "scalars": 8} if made is ls.nets.points.GATr else {}
    sizes |= {"width": 8} if made is ls.nets.points.PointTransformer else {}
    net = ls.nets.points.Energy(made(PointCloud(scalars=2), PointVectors(0, scalars=1), **sizes))
    net.forces(torch.randn(3, 4, 5)).square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
