"""Pixels of HEALPix: where they lie, transforms and turns in float64, networks on them, and what is refused."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.actions import BandLimitedHealpix
from learnsym.equivariant import HealpixTransform, S2Conv, S2Transform, SO3Conv, SO3ToS2
from learnsym.nets import SphericalCNN, SphericalUNet
from learnsym.representations import (
    harmonics_on_grid,
    harmonics_on_healpix,
    healpix_points,
    nside_of,
    spherical_harmonics,
)


class Square(nn.Module):
    def forward(self, x):
        return x * x


def below(nside, band_limit, batch=3, channels=2):
    """White noise below a band limit, and the same functions on an equiangular grid."""
    c = torch.randn(batch, channels, band_limit**2, dtype=torch.float64)
    grid = c @ harmonics_on_grid(2 * band_limit, 2 * band_limit, band_limit)[1].mT
    return c @ harmonics_on_healpix(nside, band_limit)[1].mT, grid.unflatten(-1, (2 * band_limit, 2 * band_limit))


@pytest.mark.parametrize("nside", [1, 2, 3, 8])
def test_pixels_lie_on_rings_of_equal_latitude_and_have_equal_areas(nside):
    points = healpix_points(nside)
    torch.testing.assert_close(points.norm(dim=-1), torch.ones(12 * nside**2, dtype=torch.float64))
    z, counts = points[:, 2].unique(return_counts=True)
    assert counts.tolist() == [4 * min(i, nside, 4 * nside - i) for i in range(1, 4 * nside)]
    # the cap z > 2/3 is a sixth of the area: 2 n² pixels, of which those on its border count by half
    assert counts[1 - nside :].sum() * (nside > 1) + counts[-nside] / 2 == 2 * nside**2
    assert float(z[-nside]) == pytest.approx(2 / 3)
    torch.testing.assert_close(z, -z.flip(0), rtol=0, atol=1e-15)
    assert nside_of(len(points)) == nside


@pytest.mark.parametrize("nside", [1, 2, 3, 4, 8])
def test_pixels_are_those_of_healpy(nside):
    healpy = pytest.importorskip("healpy")
    expected = torch.tensor(healpy.pix2vec(nside, range(12 * nside**2))).mT
    torch.testing.assert_close(healpix_points(nside), expected, rtol=0, atol=1e-12)


def test_a_quarter_turn_about_the_axis_permutes_pixels():
    points = healpix_points(3)
    turned = torch.stack([-points[:, 1], points[:, 0], points[:, 2]], -1)
    assert float(torch.cdist(turned, points, compute_mode="donot_use_mm_for_euclid_dist").amin(1).max()) < 1e-12


@pytest.mark.parametrize(("nside", "band_limit"), [(1, 2), (2, 4), (3, 5), (4, 8)])
def test_coefficients_are_those_of_the_equiangular_grid(nside, band_limit):
    x, grid = below(nside, band_limit)
    transform = HealpixTransform(nside, band_limit).double()
    f = transform(x)
    torch.testing.assert_close(f, S2Transform(*grid.shape[-2:], band_limit).double()(grid), rtol=0, atol=1e-12)
    torch.testing.assert_close(transform.inverse(f), x, rtol=0, atol=1e-12)
    assert HealpixTransform(nside, band_limit)(x.float()).dtype == torch.complex64


def test_least_squares_amplifies_next_to_nothing_and_equal_weights_would_mix_harmonics():
    for nside in (2, 3, 4):
        _, synthesis = harmonics_on_healpix(nside, 2 * nside)
        values = torch.linalg.svdvals(synthesis / len(synthesis) ** 0.5)
        assert values.min() > 0.91 and values.max() < 1.04
    gram = synthesis.mT @ synthesis / len(synthesis)
    assert 0.03 < (gram - torch.eye(len(gram), dtype=gram.dtype)).abs().max() < 0.1


def test_turns_are_those_of_the_function():
    c, g = torch.randn(16, dtype=torch.float64), ls.groups.O3().haar(6, dtype=torch.float64)
    points = healpix_points(2)

    def values(p):
        return torch.cat([spherical_harmonics(degree, p) for degree in range(4)], -1) @ c

    moved = BandLimitedHealpix(4)(g, values(points).expand(6, 1, 48))
    expected = values(torch.einsum("bji,pj->bpi", g, points))[:, None]  # (g·f)(p) = f(g^-1 p)
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-12)


def test_networks_on_these_pixels_are_equivariant_to_rounding():
    """With a square, whose products the grid of 3 b angles projects exactly; classes and classes of pixels."""
    torch.manual_seed(0)
    x, _ = below(4, 6, channels=1)
    g, move = ls.groups.SO3().haar(len(x), dtype=torch.float64), BandLimitedHealpix(6)
    options = {"width": 3, "band_limits": (6, 3), "activation": Square}
    classes, pixels = (kind(1, 5, (192,), **options).double().eval() for kind in (SphericalCNN, SphericalUNet))
    with torch.no_grad():
        torch.testing.assert_close(classes(move(g, x)), classes(x), rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(pixels(move(g, x)), move(g, pixels(x)), rtol=1e-10, atol=1e-10)
        assert (pixels(x) - pixels(x).mean(-1, keepdim=True)).abs().max() > 1e-2
    assert SphericalCNN(1, 5, (192,)).body[0].band_limit == 4


def test_layers_take_the_coefficients_and_weights_are_reached():
    transform, first, second, last = HealpixTransform(2, 4), S2Conv(1, 2, 4), SO3Conv(2, 2, 3), SO3ToS2(2, 3, 4)
    out = transform.inverse(last(second(first(transform(torch.rand(2, 1, 48))))))
    out.square().mean().backward()
    assert out.shape == (2, 3, 48)
    assert all(p.grad.abs().sum() > 0 for layer in (first, second, last) for p in layer.parameters())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: healpix_points(0), "nside: got 0"),
        (lambda: healpix_points(65), "nside: got 65, must be a whole number from 1 to 64"),
        (lambda: nside_of(100), "pixels: got 100 numbers on the sphere, must be 12 n.*take 108"),
        (
            lambda: HealpixTransform(4, 9),
            "band_limit: got 9 for HEALPix with nside 4.*from 1 to 8",
        ),
        (lambda: HealpixTransform(2, 4)(torch.rand(1, 1, 49)), "x: got 49 pixels, the transform is for 48"),
        (lambda: BandLimitedHealpix(0), "band_limit: got 0"),
        (lambda: BandLimitedHealpix(5).check_data(ls.groups.SO3(), torch.rand(1, 1, 48)), "from 1 to 4"),
        (lambda: BandLimitedHealpix(2).check_data(ls.groups.SO3(), torch.rand(1, 1, 50)), "pixels: got 50"),
        (lambda: SphericalCNN(1, 2, (50,)), "pixels: got 50"),
        (lambda: SphericalCNN(1, 2, (8, 8, 8)), "size: got .8, 8, 8."),
        (lambda: SphericalCNN(1, 2, (48,), band_limits=(5,)), "band_limits: got .5. for pictures of 48.*to 4"),
    ],
)
def test_bad_input_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
