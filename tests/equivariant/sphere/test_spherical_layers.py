"""Laws of the transforms and layers of the sphere and SO(3), in float64."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from learnsym.actions import BandLimitedSphere
from learnsym.equivariant import (
    S2Conv,
    S2Transform,
    SO3Conv,
    SO3Mean,
    SO3Norm,
    SO3Pointwise,
    SO3ToS2,
    SO3Transform,
)
from learnsym.equivariant.sphere.functions import with_constant
from learnsym.groups import SO3, AxialSO2
from learnsym.nets import parameter_count
from learnsym.representations import colatitudes, small_d, spherical_harmonics
from tests.reference.turned_coefficients import all_orders, norm, turned, turned_on_sphere, wigner_d

B = 5
LIMITS = [(6, 6), (6, 3), (9, 4), (1, 1)]


class Square(nn.Module):
    def forward(self, x):
        return x * x


def rotations(batch=4):
    return SO3().haar(batch, dtype=torch.float64)


def on_sphere(channels=2, band_limit=B, batch=4):
    """Coefficients of white noise on the sphere."""
    return S2Transform(2 * band_limit, 2 * band_limit, band_limit).double()(
        torch.randn(batch, channels, 2 * band_limit, 2 * band_limit, dtype=torch.float64)
    )


def on_group(channels=2, band_limit=B, azimuthal=B, batch=4):
    """Coefficients of white noise on SO(3), every coefficient alike."""
    transform = SO3Transform(band_limit, azimuthal, 1).double()
    h = torch.randn(batch, channels, band_limit, band_limit, 2 * azimuthal - 1, dtype=torch.complex128)
    degree, m = torch.arange(band_limit)[:, None, None], torch.arange(band_limit)[:, None]
    n = torch.arange(1 - azimuthal, azimuthal)
    h = h * ((m <= degree) & (n.abs() <= degree))
    return transform(transform.inverse(h))  # of a real function


def error(a, b):
    return float(((a - b).abs().max() / b.abs().max()).detach())


def test_small_d_is_a_representation():
    a, b = torch.rand(2, 7, dtype=torch.float64) * 1.5
    product = torch.einsum("klmn,klnp->klmp", small_d(12, a), small_d(12, b))
    torch.testing.assert_close(product, small_d(12, a + b), rtol=0, atol=1e-13)
    g, h = rotations(), rotations()
    product = torch.einsum("blmn,blnp->blmp", wigner_d(g, 6), wigner_d(h, 6))
    torch.testing.assert_close(product, wigner_d(g @ h, 6), rtol=0, atol=1e-12)


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("oversampling", [1, 1.25, 1.5, 2])
def test_round_trip_on_the_group(limits, oversampling):
    h, transform = on_group(2, *limits), SO3Transform(*limits, oversampling).double()
    torch.testing.assert_close(transform(transform.inverse(h)), h, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("size", "band_limit"), [((10, 10), 5), ((12, 24), 6), ((11, 9), 5), ((40, 40), 20)])
def test_round_trip_on_the_sphere(size, band_limit):
    transform = S2Transform(*size, band_limit).double()
    f = transform(torch.randn(2, 3, *size, dtype=torch.float64))
    torch.testing.assert_close(transform(transform.inverse(f)), f, rtol=0, atol=1e-12)


def test_coefficients_are_those_of_spherical_harmonics():
    transform = S2Transform(10, 10, 5).double()
    theta = colatitudes(10)[:, None]
    phi = torch.arange(10, dtype=torch.float64) * (2 * torch.pi / 10)
    points = torch.stack([theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos().expand(10, 10)], -1)
    for degree in range(5):
        pictures = spherical_harmonics(degree, points).movedim(-1, 0)[:, None]
        f = transform(pictures)
        assert f[:, :, [k for k in range(5) if k != degree]].abs().max() < 1e-13
        power = f.abs().square().sum((1, 2, 3)) * 2 - f[..., 0].abs().square().sum((1, 2))
        torch.testing.assert_close(power, torch.ones_like(power))  # of norm 1, under the measure of volume 1


def test_coefficients_agree_with_torch_harmonics():
    peer = pytest.importorskip("torch_harmonics")
    x = torch.randn(2, 3, 12, 24, dtype=torch.float64)
    f = S2Transform(12, 24, 6).double()(x)
    # on their grid of Gauss-Legendre nodes the same function has the same coefficients
    inverse = peer.InverseRealSHT(6, 12, lmax=6, mmax=6, grid="legendre-gauss", norm="ortho").double()
    forward = peer.RealSHT(6, 12, lmax=6, mmax=6, grid="legendre-gauss", norm="ortho").double()
    torch.testing.assert_close(forward(inverse(f)), f, rtol=0, atol=1e-6)
    area = (4 * torch.pi) ** 0.5  # they are orthonormal under the measure of volume 4π
    rows = peer.quadrature.legendre_gauss_weights(6)[0]
    synthesis = small_d(6, torch.as_tensor(rows, dtype=torch.float64).flip(0).arccos())[..., 5:, 5]
    scale = (2 * torch.arange(6, dtype=torch.float64) + 1).sqrt()[:, None]
    values = torch.fft.irfft(torch.einsum("bclm,jlm->bcjm", f, (scale * synthesis).to(f)), n=12, norm="forward")
    torch.testing.assert_close(inverse(f) * area, values, rtol=0, atol=1e-5)


def test_coefficients_turn_as_pictures_do():
    transform, g, f = S2Transform(10, 10, B).double(), rotations(), on_sphere()
    moved = transform(BandLimitedSphere(B)(g, transform.inverse(f)))
    torch.testing.assert_close(moved, turned_on_sphere(g, f), rtol=0, atol=1e-12)


@pytest.mark.parametrize("azimuthal", [None, 2])
@pytest.mark.parametrize("band_limit", [B, B - 2, B + 2])
def test_linear_layers_commute_with_rotations(band_limit, azimuthal):
    g, f = rotations(), on_sphere()
    lift, conv, back = (
        kind(c, d, band_limit, azimuthal).double() for kind, c, d in ((S2Conv, 2, 4), (SO3Conv, 4, 3), (SO3ToS2, 3, 2))
    )
    h = lift(f)
    assert error(lift(turned_on_sphere(g, f)), turned(g, h)) < 1e-10
    assert error(conv(turned(g, h)), turned(g, conv(h))) < 1e-10
    assert error(back(turned(g, conv(h))), turned_on_sphere(g, back(conv(h)))) < 1e-10
    assert error(SO3Norm(4).double()(turned(g, h)), turned(g, SO3Norm(4).double()(h))) < 1e-10
    torch.testing.assert_close(SO3Mean()(turned(g, h)), SO3Mean()(h), rtol=0, atol=1e-10)


def values_on_sphere(f, points):
    """Of coefficients `(l, m)`, at unit vectors `(P, 3)`."""
    theta, phi = points[:, 2].clamp(-1, 1).arccos(), torch.atan2(points[:, 1], points[:, 0])
    band_limit, m = len(f), torch.arange(len(f))
    harmonics = small_d(band_limit, theta)[..., band_limit - 1 :, band_limit - 1] * (2 * m.double() + 1).sqrt()[:, None]
    twice = torch.where(m > 0, 2.0, 1.0).double()  # coefficients of negative orders
    return torch.einsum("lm,klm,km,m->k", f, harmonics.to(f), torch.exp(1j * phi[:, None] * m), twice.to(f)).real


def values_on_group(h, g):
    """Of coefficients `(l, m, n)`, at rotations `(K, 3, 3)`."""
    band_limit, azimuthal = len(h), (h.shape[-1] + 1) // 2
    d = wigner_d(g, band_limit)[..., band_limit - azimuthal : band_limit - 1 + azimuthal].conj()
    scale = (2 * torch.arange(band_limit, dtype=torch.float64) + 1).sqrt()
    return torch.einsum("lmn,klmn,l->k", all_orders(h[None, None])[0, 0], d, scale.to(h)).real


def test_layers_are_the_sums_of_moved_copies_that_they_say():
    lift, conv = (kind(1, 1, B, points=3, rings=2, bias=False).double() for kind in (S2Conv, SO3Conv))
    f, g = on_sphere(1, batch=1), rotations(5)
    h = lift(f)
    beta = [lift.reach / 2, lift.reach]
    turns = [2 * torch.pi * k / 3 for k in range(3)]
    points = torch.stack([about_z(a) @ about_y(b) for b in beta for a in turns])
    moved = torch.einsum("kij,pj->kpi", g, points[..., 2])
    expected = values_on_sphere(f[0, 0], moved.flatten(0, 1)).view(5, 6) @ lift.weight[0, 0]
    torch.testing.assert_close(values_on_group(h[0, 0], g), expected, rtol=0, atol=1e-12)
    around = torch.stack([point @ about_z(c) for point in points for c in turns])
    copies = values_on_group(h[0, 0], (g[:, None] @ around).flatten(0, 1)).view(5, 18)
    torch.testing.assert_close(values_on_group(conv(h)[0, 0], g), copies @ conv.weight[0, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("oversampling", [1, 1.25])
def test_samples_are_the_values_at_the_angles_of_the_grid(oversampling):
    h, transform = on_group(1, 4, 3, batch=1), SO3Transform(4, 3, oversampling).double()
    cosines = torch.from_numpy(np.polynomial.legendre.leggauss(transform.nodes)[0])
    samples = transform.inverse(h)[0, 0]
    for j, k, i in ((0, 0, 0), (1, 2, 5), (3, 4, 1)):
        alpha, gamma = 2 * torch.pi * i / transform.turns, 2 * torch.pi * k / transform.spins
        g = about_z(alpha) @ about_y(cosines[j].arccos().item()) @ about_z(gamma)
        torch.testing.assert_close(samples[j, k, i], values_on_group(h[0, 0], g[None])[0], rtol=0, atol=1e-12)


def about_z(angle):
    return AxialSO2(2).exp(torch.tensor([angle], dtype=torch.float64))


def about_y(angle):
    return AxialSO2(1).exp(torch.tensor([angle], dtype=torch.float64))


def test_published_number_of_weights():
    """Gerken et al. have 204,073, with kernels on SO(3) for the last layer, which here has an eighth of those."""
    widths = (11, 12, 13, 14, 13, 12, 11)
    inner = [parameter_count(SO3Conv(a, b, 2)) for a, b in pairwise(widths)]
    first, last = parameter_count(S2Conv(1, 11, 2)), parameter_count(SO3Conv(11, 11, 2))
    assert first + sum(inner) + last == 204_073
    assert parameter_count(SO3ToS2(11, 11, 2)) == 24 * 11 * 11 + 11


@pytest.mark.parametrize("limits", LIMITS)
def test_squares_are_exact_with_three_halves(limits):
    g, h = rotations(), on_group(2, *limits)
    layer = SO3Pointwise(*limits, Square()).double()
    assert error(layer(turned(g, h)), turned(g, layer(h))) < 1e-12


def test_squares_alias_on_the_customary_grid():
    g, h = rotations(), on_group(2, 6, 6)
    layer = SO3Pointwise(6, activation=Square(), oversampling=1).double()
    assert error(layer(turned(g, h)), turned(g, layer(h))) > 0.02


@pytest.mark.parametrize(("oversampling", "expected"), [(1, 0.20), (1.5, 0.036), (2, 0.014)])
def test_error_of_a_relu_is_the_stated_one(oversampling, expected):
    g, h = rotations(8), on_group(4, 6, 6, batch=8)
    layer = SO3Pointwise(6, oversampling=oversampling).double()
    after = turned(g, layer(h))
    assert float(norm(layer(turned(g, h)) - after) / norm(after)) == pytest.approx(expected, rel=0.2)


def test_norm_has_mean_0_and_variance_1():
    samples = SO3Transform(6, 6, 2).double()
    values = samples.inverse(SO3Norm(4).double()(with_constant(3 * on_group(4, 6, 6), torch.ones(4))))
    angles = samples.turns * samples.spins
    beta = angles * samples.weighted.value[5, 0, :, 0] / samples.harmonics.value[5, 0, :, 0]
    mean = (values.mean((1, 3, 4)) * beta).sum(-1)
    second = (values.square().mean((1, 3, 4)) * beta).sum(-1)
    torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=1e-12)
    torch.testing.assert_close(second, torch.ones_like(second), rtol=1e-4, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_modules_copy_pickle_and_keep_their_dtype(dtype):
    net = nn.Sequential(S2Transform(8, 8, 4), S2Conv(2, 3, 4), SO3Pointwise(4), SO3Norm(3), SO3Mean()).to(dtype)
    x = torch.rand(2, 2, 8, 8, dtype=dtype)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(x), net(x)) and net(x).dtype == dtype
    net(x).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net[1].parameters())
    gradients = torch.func.grad(lambda w: torch.func.functional_call(net, w, (x,)).sum())(dict(net.named_parameters()))
    assert gradients["1.weight"].shape == net[1].weight.shape


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: S2Transform(8, 8, 5), "band_limit: got 5 for pictures of 8x8, must be from 1 to 4.*10 pixels"),
        (lambda: S2Transform(8, 8, 4)(torch.rand(1, 1, 10, 10)), "x: got pictures of 10x10, the transform is for 8x8"),
        (lambda: SO3Transform(4, oversampling=0.5), "oversampling: got 0.5, must be from 1"),
        (lambda: SO3Transform(0), "band_limit: got 0, must be a whole number"),
        (lambda: SO3Transform(4, 0), "azimuthal: got 0, must be a whole number"),
        (lambda: S2Conv(0, 1, 4), "in_channels: got 0"),
        (lambda: SO3Conv(1, 1, 4, points=0), "points: got 0"),
        (lambda: SO3ToS2(1, 1, 4, reach=4.0), "reach: got 4.0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
