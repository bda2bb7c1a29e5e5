"""Headings are found, turned and summarised on the circle; windows look ahead as told."""

import pytest
import torch

from learnsym.data import Dataset
from learnsym.data.motion import heading_statistics, headings, layout, turn, turn_to, windows
from learnsym.groups import AxialSO2


def bodies(angles, joints=4):
    d = torch.deg2rad(torch.as_tensor(angles, dtype=torch.float64))
    step = torch.stack([d.sin(), torch.full_like(d, 0.3), d.cos()], -1)
    x = torch.randn(len(d), joints, 6 + joints, dtype=torch.float64)
    return x, x[..., :3] + step[:, None]


def test_headings():
    angles = torch.tensor([0.0, 90.0, -120.0, 179.0], dtype=torch.float64)
    torch.testing.assert_close(headings(*bodies(angles)), angles)


def test_turning_adds_to_headings_and_keeps_the_rest():
    x, y = bodies([10.0, -50.0])
    moved, later = turn(x, y, torch.tensor([30.0, 100.0], dtype=torch.float64))
    torch.testing.assert_close(headings(moved, later), torch.tensor([40.0, 50.0], dtype=torch.float64))
    torch.testing.assert_close(moved[..., 6:], x[..., 6:])
    torch.testing.assert_close(moved[..., 1], x[..., 1])
    torch.testing.assert_close(later[..., 1], y[..., 1])


def test_turning_is_the_action_of_rotations_about_y():
    x, y = bodies([0.0])
    g = AxialSO2(1).exp(torch.deg2rad(torch.tensor([[25.0]], dtype=torch.float64)))
    moved, _ = turn(x, y, torch.tensor([25.0], dtype=torch.float64))
    torch.testing.assert_close(moved, layout(4)(g, x))


def test_turning_data_to_one_heading_or_to_many():
    x, y = bodies([10.0, -50.0])
    data = Dataset(x, y, "walk")
    torch.testing.assert_close(headings(*_parts(turn_to(data, 90.0))), torch.full((2,), 90.0, dtype=torch.float64))
    many = torch.tensor([5.0, -170.0], dtype=torch.float64)
    torch.testing.assert_close(headings(*_parts(turn_to(data, many))), many)


def _parts(data):
    return data.x, data.y


def test_statistics_across_the_cut():
    found = heading_statistics(torch.tensor([170.0, -170.0, 180.0]))
    assert abs(abs(found.mean) - 180.0) < 1e-4
    assert found.low == pytest.approx(-10.0, abs=1e-4) and found.high == pytest.approx(10.0, abs=1e-4)
    assert found.spread == pytest.approx(8.2, abs=0.1)


def test_a_body_that_stands_has_no_heading():
    x, _ = bodies([0.0, 1.0])
    with pytest.raises(ValueError, match="window 0 stands over the ground"):
        headings(x, x[..., :3].clone())


def test_windows():
    positions = torch.randn(10, 4, 3)
    x, y = windows(positions, horizon=3, rate=30.0)
    place, velocity, which = layout(4).split(x)
    assert len(x) == 7
    torch.testing.assert_close(place, positions[:7])
    torch.testing.assert_close(velocity[:, :, 0], 30.0 * (positions[1:8] - positions[:7]))
    assert torch.equal(which, torch.eye(4).expand(7, 4, 4))
    torch.testing.assert_close(y, positions[3:])
    chosen = windows(positions, 3, 30.0, torch.tensor([5, 0]))
    torch.testing.assert_close(chosen.x, x[[5, 0]])


@pytest.mark.parametrize(("horizon", "starts"), [(0, None), (10, None), (3, [7]), (3, [-1])])
def test_windows_that_do_not_fit(horizon, starts):
    starts = None if starts is None else torch.tensor(starts)
    with pytest.raises(ValueError, match=r"horizon: got .* less than the frames left, of 10"):
        windows(torch.randn(10, 4, 3), horizon, 30.0, starts)
