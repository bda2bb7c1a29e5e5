"""Axes, poses from posteriors, orders, and readers that move."""

import math

import pytest
import torch

from learnsym import groups, symmetry
from learnsym.actions import PointCloud
from learnsym.measure.pose import polar
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.order import order_of
from learnsym.measure.pose.read_out import box_density, degrees_of_window, folded, read_out
from learnsym.measure.pose.reader import MovedReader, PolarReader, interpolated, reader
from learnsym.symmetry import Symmetry


def posteriors(pose, half_width, closed=True, order=1):
    """What a perfect network says: the law reflected and shifted to each pose."""
    beta = degrees_of_window(torch.empty(1, 144 if closed else 145), closed)
    lag = (pose[:, None] - beta).double().numpy()
    density = sum(box_density((lag + 360 * k / order + 180) % 360 - 180, half_width, 8.0, closed) for k in range(order))
    table = torch.from_numpy(density).float()
    return table / table.sum(1, keepdim=True)


@pytest.mark.parametrize(
    ("half_width", "width"), [(30.0, 0.0), (60.0, 0.0), (90.0, 90.0), (150.0, 150.0), (165.0, 135.0)]
)
def test_poses_on_the_circle(half_width, width):
    pose = 360 * torch.rand(50) - 180
    found = read_out(posteriors(pose, half_width), width, True)
    error = (found.centre - pose + 180) % 360 - 180
    assert error.abs().max() < 1.5
    assert found.sharpness.std() / found.sharpness.mean() < 0.05


def test_poses_in_an_open_window():
    pose = 100 * torch.rand(50) - 50
    assert (read_out(posteriors(pose, 60.0, False), 60.0, False).centre - pose).abs().max() < 3.0


def test_folding_keeps_the_pose():
    pose = 80 * torch.rand(50) - 40
    table = folded(posteriors(pose, 10.0, order=4), 4)
    assert table.shape == (50, 36)
    assert (read_out(table, 0.0, True).centre / 4 - pose).abs().max() < 1.5


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
def test_order_of_the_law(order):
    noisy = posteriors(360 * torch.rand(400) - 180, 10.0, order=order)
    at_modes = posteriors(torch.randint(order, (400,)) * 360.0 / order, 10.0, order=order)
    assert order_of(at_modes) == order
    assert order_of(noisy) == 1


def test_axes():
    assert PoseAxis.of(symmetry.rotation2d(), "rotation").closed
    assert PoseAxis.of(symmetry.affine2d(), "rotation").closed
    shift = PoseAxis.of(symmetry.affine2d(), "translation_x", moves=0.2)
    assert not shift.closed and shift.reach == pytest.approx(0.4) and shift.offsets[72] == 0
    assert float(shift.elements(torch.tensor([0.1]))[0, 0, 2]) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="generator: got 'turn'"):
        PoseAxis.of(symmetry.rotation2d(), "turn")
    with pytest.raises(ValueError, match="moves: got -1"):
        PoseAxis.of(symmetry.affine2d(), "scale", moves=-1.0)


def test_polar_network_shifts_its_scores():
    x = polar.reduced(torch.rand(4, 1, 28, 28))
    network = polar.PolarNetwork(polar.RADII).eval()
    zero = torch.zeros(4)
    turned = network(polar.polar(x.rot90(1, (-2, -1)), zero))
    assert torch.allclose(turned, network(polar.polar(x, zero)).roll(9, 1), atol=1e-4)
    assert torch.allclose(turned, network(polar.polar(x, zero + math.pi / 2)), atol=1e-4)


def test_posterior_is_centred_on_the_move():
    axis = PoseAxis.of(symmetry.rotation2d(), "rotation")
    chosen = PolarReader(1)
    chosen.network.eval()
    x = polar.reduced(torch.rand(4, 1, 28, 28))
    turned = chosen.posterior(x.rot90(1, (-2, -1)))
    assert torch.allclose(turned, chosen.posterior(x).roll(36, 1), atol=1e-4)
    assert axis.offsets[72] == 0


def test_choice_of_reader():
    x, images = torch.rand(4, 1, 12, 12), symmetry.affine2d()
    assert isinstance(reader(PoseAxis.of(images, "rotation"), x, None), PolarReader)
    assert isinstance(reader(PoseAxis.of(images, "scale"), x, None), MovedReader)
    clouds = Symmetry(groups.AxialSO2(2), PointCloud())
    moved = reader(PoseAxis.of(clouds, "rotation_z"), torch.rand(4, 5, 3), None)
    assert moved.posterior(torch.rand(4, 5, 3)).sum(1) == pytest.approx(torch.ones(4))
    with pytest.raises(ValueError, match="network: got None"):
        reader(PoseAxis.of(symmetry.colour(), "brightness"), torch.rand(4, 9), None)


def test_interpolation_between_columns():
    table = torch.arange(4.0).expand(2, 4)
    assert interpolated(table, torch.tensor([0.5, 3.5])).tolist() == [0.5, 1.5]
    assert interpolated(table, torch.tensor([0.5, 9.0]), closed=False).tolist() == [0.5, 3.0]
