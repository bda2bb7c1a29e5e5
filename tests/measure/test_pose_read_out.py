"""Axes, poses from posteriors, orders, and readers that move."""

import math

import numpy as np
import pytest
import torch

from learnsym import groups, symmetry
from learnsym.actions import PointCloud
from learnsym.measure.pose import polar
from learnsym.measure.pose.alignment import aligned, by_best_box, first_readings, gain_of, in_the_middle
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.order import order_of
from learnsym.measure.pose.read_out import around, folded, lags_of, offsets_of, read_out
from learnsym.measure.pose.reader import MovedReader, PolarReader, interpolated, reader
from learnsym.measure.pose.shapes import box_density, cell_centres, cell_probabilities, errors_between
from learnsym.symmetry import Symmetry


def posteriors(pose, half_width, closed=True, order=1):
    """What a perfect network says: the law reflected and shifted to each pose."""
    beta = offsets_of(144 if closed else 145, closed)
    lag = (pose[:, None] - beta).double().numpy()
    density = sum(box_density((lag + 360 * k / order + 180) % 360 - 180, half_width, 8.0, closed) for k in range(order))
    table = torch.from_numpy(density).float()
    return table / table.sum(1, keepdim=True)


def template(width, count=144, closed=True):
    """A box as a template."""
    return torch.from_numpy(box_density(lags_of(count, closed).double().numpy(), width, 15.0, closed)).float()


@pytest.mark.parametrize(("half_width", "width"), [(30.0, 15.0), (60.0, 30.0), (90.0, 90.0), (150.0, 150.0)])
def test_poses_on_the_circle(half_width, width):
    pose = 360 * torch.rand(50) - 180
    found = read_out(posteriors(pose, half_width), template(width), True)
    assert around(found.centre - pose).abs().max() < 1.5
    assert found.sharpness.std() / found.sharpness.mean() < 0.05


def test_poses_in_an_open_window():
    pose = 100 * torch.rand(50) - 50
    assert (read_out(posteriors(pose, 60.0, False), template(60.0, 145, False), False).centre - pose).abs().max() < 3.0
    assert (aligned(posteriors(pose, 60.0, False), False).centre - pose).abs().max() < 3.0


@pytest.mark.parametrize("half_width", [10.0, 60.0, 120.0, 160.0])
def test_a_template_that_agrees_with_itself_reads_the_poses_of_a_law_up_to_a_turn(half_width):
    pose = (2 * torch.rand(400) - 1) * half_width
    # a network is never sure to the last digit, which would make all maxima of a flat top alike
    table = posteriors(pose, half_width) * torch.exp(0.3 * torch.randn(400, 144))
    found = aligned(table / table.sum(1, keepdim=True), True).centre
    turn = torch.rad2deg(torch.angle(torch.exp(1j * torch.deg2rad(found - pose)).mean()))
    assert around(found - pose - turn).abs().quantile(0.9) < 8.0 and turn.abs() < 12.0


def test_each_example_has_the_box_that_fits_it():
    pose = (2 * torch.rand(400) - 1) * 80
    table = torch.cat([posteriors(pose[:200], 12.0), posteriors(pose[200:], 85.0)]) * torch.exp(
        0.3 * torch.randn(400, 144)
    )
    table = table / table.sum(1, keepdim=True)
    for part in (slice(0, 200), slice(200, None)):
        assert _spread(by_best_box(table).centre[part] - pose[part]) < 2.0
    # a narrow box puts poses anywhere on the plateau of a wide law
    assert _spread(read_out(table, template(15.0), True).centre[200:] - pose[200:]) > 20.0


def _spread(errors):
    return around(errors - errors.median()).abs().quantile(0.9)


def test_two_modes_are_read_by_a_template_of_two_modes():
    pose = torch.where(torch.rand(400) < 0.5, -60.0, 60.0) + 20 * torch.rand(400) - 10
    single = posteriors(pose, 10.0)
    both = (posteriors(pose - 60.0, 10.0) + posteriors(pose + 60.0, 10.0)) / 2
    assert around(aligned(single, True).centre - pose).abs().max() < 2.0
    error = around(aligned(both, True).centre - pose)
    assert (error - error.median()).abs().quantile(0.95) < 6.0


def test_better_readings_predict_each_other_better():
    pose = 60 * torch.rand(400) - 30
    reads = first_readings(posteriors(pose, 30.0))
    assert len(reads) == 6
    assert gain_of(pose) > gain_of(pose + 30 * torch.randn(400)) > gain_of(360 * torch.rand(400) - 180)
    assert gain_of(360 * torch.rand(400) - 180) < 0.01


def test_the_middle_of_readings_is_the_centre_of_their_symmetry():
    pose = around(80 * torch.rand(2000) - 40 + 130.0)
    assert in_the_middle(pose).abs().max() < 43.0


def test_probabilities_of_cells():
    for shape in ("uniform", "normal"):
        for kernel in ("normal", "Laplace"):
            for closed in (True, False):
                cells = cell_probabilities(shape, np.array([0.0, 40.0, 100.0]), kernel, np.array([4.0, 20.0]), closed)
                assert cells.shape == (3, 2, 120) and cells.sum(-1) == pytest.approx(np.ones((3, 2)))
                assert cells == pytest.approx(cells[..., ::-1])
                spread = np.sqrt((cells * cell_centres() ** 2).sum(-1))
                assert spread[1, 0] == pytest.approx(math.hypot(40 / math.sqrt(3), 4.0), rel=0.03)
    for kernel in ("normal", "Laplace"):
        assert errors_between(kernel, 10.0, True).sum(0) == pytest.approx(np.ones(120))


def test_folding_keeps_the_pose():
    pose = 80 * torch.rand(50) - 40
    table = folded(posteriors(pose, 10.0, order=4), 4)
    assert table.shape == (50, 36)
    assert (read_out(table, template(15.0, 36), True).centre / 4 - pose).abs().max() < 1.5


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
