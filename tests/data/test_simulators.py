"""Drawn data sets are reproducible, balanced and have the symmetry they state."""

import pytest
import torch

from learnsym.data import blobs, two_figures


@pytest.mark.parametrize("draw", [blobs, two_figures])
def test_same_seed_same_data(draw):
    first, second, third = draw(30, seed=1), draw(30, seed=1), draw(30, seed=2)
    assert torch.equal(first.x, second.x) and torch.equal(first.y, second.y)
    assert not torch.equal(first.x, third.x)


def test_classes_and_angles_follow_the_stated_law():
    data = two_figures(2000, size=16)
    angle = data.planted[:, 2]
    upside_down = data.y % 2 == 1
    assert bool((angle[~upside_down].abs() <= 45.0).all())
    assert bool(((angle[upside_down] - 180.0).abs() <= 45.0).all())
    assert data.y.bincount().min() > 400


def test_figures_are_upright_colourful_and_inside_the_circle():
    data = two_figures(40, half_width=0.0)
    upright = {int(y): x for x, y in zip(data.x, data.y, strict=True)}
    torch.testing.assert_close(upright[1], upright[0].flip(-2, -1), atol=1e-5, rtol=0.0)
    u = (torch.arange(32) + 0.5) / 16.0 - 1.0
    outside = u[:, None] ** 2 + u**2 > 1.0
    for figure in upright.values():
        assert figure[:, outside].abs().max() == 0.0
        assert (figure.amax((1, 2)) > 0.9).all()
        for other in (figure.flip(-1), figure.flip(-2), figure.flip(-2, -1)):
            assert (figure - other).abs().mean() > 0.02


def test_blobs_have_no_symmetry_of_their_own():
    data = blobs(60, jitter=0.0)
    for label in range(3):
        x = data.x[data.y == label][0]
        for other in (x.flip(-1), x.flip(-2), x.flip(-2, -1), x.rot90(1, (-2, -1))):
            assert (x - other).abs().mean() > 0.03


def test_bad_numbers():
    with pytest.raises(ValueError, match="n, classes, size"):
        blobs(0)
    with pytest.raises(ValueError, match="half_width"):
        two_figures(4, half_width=91.0)
