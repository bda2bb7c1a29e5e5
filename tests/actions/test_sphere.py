"""Actions on the sphere: what is exact, how large the error of interpolation is, and what they refuse."""

import pytest
import torch

import learnsym as ls
from learnsym.actions import BandLimitedSphere, Sphere, SphereLabels
from learnsym.representations import harmonics_on_grid, latitude_weights, spherical_harmonics


def noise(band_limit, size, batch=4):
    """White noise below a band limit."""
    synthesis = harmonics_on_grid(size, size, band_limit)[1]
    return (torch.randn(batch, 1, band_limit**2, dtype=torch.float64) @ synthesis.mT).unflatten(-1, (size, size))


def norm(x):
    return (x.square() * latitude_weights(x.shape[-2])[:, None]).sum().sqrt()


@pytest.mark.parametrize("size", [(12, 12), (7, 14), (8, 16)])
def test_turns_about_the_axis_by_whole_pixels_are_rolls(size):
    x = torch.rand(3, 2, *size)
    g = ls.groups.AxialSO2(2).exp(torch.full((3, 1), 2 * torch.pi * 3 / size[1]))
    assert torch.equal(Sphere()(g, x), x.roll(3, -1))
    labels = (9 * x[:, 0]).long()
    assert torch.equal(SphereLabels()(g, labels), labels.roll(3, -1))


def test_half_turns_and_reflections_are_exact():
    x = torch.rand(1, 1, 8, 8)
    about_x, mirrored = (torch.diag(torch.tensor(d))[None] for d in ([1.0, -1.0, -1.0], [1.0, 1.0, -1.0]))
    assert torch.equal(Sphere()(about_x, x), x.flip(-2, -1).roll(1, -1))
    assert torch.equal(Sphere()(mirrored, x), x.flip(-2))


def test_a_bright_point_moves_with_its_rotation():
    centre = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    points = ls.representations.sphere_points(32, 64)
    g = ls.groups.SO3().haar(5, dtype=torch.float64)
    x = ((points @ centre - 1) * 30).exp().expand(5, 1, 32, 64)
    expected = ((torch.einsum("hwi,bij,j->bhw", points, g, centre) - 1) * 30).exp()[:, None]
    assert (Sphere()(g, x) - expected).abs().max() < 0.05


@pytest.mark.parametrize(("ratio", "error"), [(2, 0.234), (4, 0.061), (8, 0.0155)])
def test_the_error_of_interpolation_is_the_stated_one(ratio, error):
    x, g = noise(6, 6 * ratio, 32), ls.groups.SO3().haar(32, dtype=torch.float64)
    exact = BandLimitedSphere(6)(g, x)
    assert norm(Sphere()(g, x) - exact) / norm(exact) == pytest.approx(error, rel=0.15)


def test_band_limited_turns_are_those_of_the_function():
    c, g = torch.randn(16, dtype=torch.float64), ls.groups.O3().haar(6, dtype=torch.float64)
    points = ls.representations.sphere_points(8, 10)

    def values(p):
        return torch.cat([spherical_harmonics(degree, p) for degree in range(4)], -1) @ c

    moved = BandLimitedSphere(4)(g, values(points).expand(6, 1, 8, 10))
    expected = values(torch.einsum("bji,hwj->bhwi", g, points))[:, None]  # (g·f)(p) = f(g^-1 p)
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("action", "shape", "words"),
    [
        (Sphere(), (1, 1, 8, 7), "even number of columns from 4 on.*8x8"),
        (Sphere(), (1, 1, 1, 8), "at least 2 rows.*2x8"),
        (BandLimitedSphere(5), (1, 1, 8, 8), "band_limit: got 5 for pictures of 8x8, must be from 1 to 4"),
        (Sphere(), (1, 8, 8), "B C H W"),
    ],
)
def test_pictures_that_do_not_hold_the_sphere_are_refused(action, shape, words):
    with pytest.raises(ValueError, match=words):
        action.check_data(ls.groups.SO3(), torch.rand(shape))


@pytest.mark.parametrize("action", [Sphere(), BandLimitedSphere(2), SphereLabels()])
def test_groups_that_leave_the_sphere_are_refused(action):
    with pytest.raises(ValueError, match="moves points off the sphere; use SO3"):
        action.check(ls.groups.SE3())
    with pytest.raises(ValueError, match="acts on 'plane'"):
        action.check(ls.groups.SO2())


def test_labels_and_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="integer dtype"):
        SphereLabels().check_data(ls.groups.SO3(), torch.rand(1, 8, 8))
    with pytest.raises(ValueError, match="mode: got 'bicubic'"):
        Sphere("bicubic")
    with pytest.raises(ValueError, match="band_limit: got 0"):
        BandLimitedSphere(0)
