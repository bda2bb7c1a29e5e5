"""The warp: conventions, the exact path, precision."""

import math

import jaxtyping
import pytest
import torch
from action_cases import blobs, pixel_coordinates

from learnsym.actions import sampling_grid, warp
from learnsym.actions._lattice import AXIS_SIGN
from learnsym.actions.warp import inverse_linear
from learnsym.groups import Translation2
from learnsym.measure import pixel_shifts
from tests.reference.sampling import warp_by_pixels


def rotation(degrees, dtype=torch.float64):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, -s], [s, c]], dtype=dtype)


def dihedral():
    flip = torch.diag(torch.tensor([-1.0, 1.0], dtype=torch.float64))
    return [rotation(90 * k) @ f for k in range(4) for f in (torch.eye(2, dtype=torch.float64), flip)]


def homogeneous(a, t=0.0):
    g = torch.eye(len(a) + 1, dtype=a.dtype)
    g[:-1, :-1], g[:-1, -1] = a, torch.as_tensor(t, dtype=a.dtype)
    return g


def through_interpolation(x, g):
    return warp(x, g.clone().requires_grad_()).detach()


@pytest.mark.parametrize("k", range(-4, 5))
def test_positive_rotation_is_rot90(k):
    x, g = torch.rand(2, 3, 7, 7), rotation(90 * k, torch.float32).expand(2, 2, 2)
    expected = torch.rot90(x, k, (-2, -1))
    assert torch.equal(warp(x, g), expected)
    torch.testing.assert_close(through_interpolation(x, g), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(through_interpolation(x.double(), g.double()), expected.double(), rtol=0, atol=1e-6)


def test_flip_mirrors_left_and_right():
    x, g = torch.rand(1, 3, 5, 9), torch.diag(torch.tensor([-1.0, 1.0]))
    assert torch.equal(warp(x, g[None]), x.flip(-1))
    assert torch.equal(warp(x, homogeneous(g)[None]), x.flip(-1))
    assert torch.equal(warp(x, -g[None]), x.flip(-2))


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("shape", [(8, 8), (6, 9)])
def test_exact_path_agrees_with_interpolation(shape, padding):
    for a in dihedral():
        for g in (a[None], homogeneous(a)[None]):
            x = torch.rand(1, 2, *shape, dtype=torch.float64)
            interpolated = warp(x, g.clone().requires_grad_(), padding=padding).detach()
            torch.testing.assert_close(warp(x, g, padding=padding), interpolated, rtol=0, atol=1e-10)


def test_mixed_batch_of_lattice_elements_is_exact_in_order():
    g = torch.stack([*dihedral(), *dihedral()[::-1]])
    x = torch.rand(len(g), 2, 6, 6)
    expected = torch.cat([warp(x[b : b + 1], g[b : b + 1]) for b in range(len(g))])
    assert torch.equal(warp(x, g), expected)
    assert torch.equal(warp(x, g).flatten().sort()[0], x.flatten().sort()[0])


def test_exact_path_passes_the_gradient_of_the_image():
    x, weight = torch.rand(8, 2, 6, 6, requires_grad=True), torch.rand(8, 2, 6, 6)
    g = torch.stack(dihedral()).float()
    (gradient,) = torch.autograd.grad((warp(x, g) * weight).sum(), x)
    assert torch.equal(gradient, warp(weight, g.transpose(-2, -1)))


def test_volumes_take_the_exact_path_for_signed_permutations():
    x = torch.rand(2, 1, 5, 5, 5, dtype=torch.float64)
    for axes in ((0, 1, 2), (1, 2, 0), (2, 1, 0)):
        g = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))[list(axes)].expand(2, 3, 3)
        moved = warp(x, g)
        assert torch.equal(moved.flatten().sort()[0], x.flatten().sort()[0])
        torch.testing.assert_close(moved, through_interpolation(x, g), rtol=0, atol=1e-10)


def test_one_element_off_the_lattice_takes_interpolation():
    g = torch.stack([rotation(90), rotation(90.001), torch.full((2, 2), torch.nan, dtype=torch.float64)])
    x = torch.rand(3, 1, 6, 6, dtype=torch.float64)
    assert not torch.equal(warp(x, g)[1], warp(x[:1], g[:1])[0])


@pytest.mark.parametrize("shape", [(64, 64), (64, 96), (80, 48), (40, 40, 40), (36, 40, 48)])
def test_moves_a_function_of_isotropic_coordinates(shape):
    d, u = len(shape), pixel_coordinates(*shape)
    a = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64))[0] * 1.1
    t = torch.tensor([0.1, -0.2, 0.05], dtype=torch.float64)[:d]
    expected = blobs((u - t) @ torch.linalg.inv(a).T)
    moved = warp(blobs(u)[None, None], homogeneous(a, t)[None])[0, 0]
    assert (moved - expected).abs().max() <= (0.02 if d == 2 else 0.05)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("shape", [(5, 5), (4, 7)])
def test_equals_the_twin_by_pixels(shape, padding):
    x = torch.rand(2, 2, *shape, dtype=torch.float64)
    g = torch.stack([homogeneous(1.4 * rotation(33), (0.3, -0.9)), homogeneous(0.2 * rotation(200), (0.0, 1.5))])
    torch.testing.assert_close(warp(x, g, padding=padding), warp_by_pixels(x, g, padding), rtol=0, atol=1e-10)


@pytest.mark.parametrize("d", [2, 3])
def test_closed_form_inverse(d):
    a = torch.randn(7, d, d, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(inverse_linear(a), torch.linalg.inv(a))
    assert torch.autograd.gradcheck(inverse_linear, a)


@pytest.mark.parametrize("d", [2, 3])
def test_linear_is_affine_without_translation(d):
    a = torch.linalg.qr(torch.randn(1, d, d))[0]
    shape = (6, 8, 7)[:d]
    torch.testing.assert_close(sampling_grid(a, shape), sampling_grid(homogeneous(a[0])[None], shape))


def test_grid_is_float32_under_autocast_and_for_half_precision():
    g = torch.stack([homogeneous(rotation(33, torch.float32), (0.3, -0.1))])
    expected = sampling_grid(g, (64, 64))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(sampling_grid(g, (64, 64)), expected)
        assert warp(torch.rand(1, 1, 64, 64), g).dtype == torch.float32
    assert sampling_grid(g.bfloat16(), (64, 64)).dtype == torch.float32


def test_half_precision_images_are_sampled_in_float32():
    x, g = torch.rand(1, 1, 32, 32).bfloat16(), rotation(33, torch.float32)[None]
    assert torch.equal(warp(x, g), warp(x.float(), g).bfloat16())


def test_gradient_stops_at_a_frozen_image():
    g = rotation(20, torch.float32)[None].requires_grad_()
    x = torch.rand(1, 1, 8, 8)
    warp(x, g).sum().backward()
    assert x.grad is None and g.grad is not None and bool(g.grad.isfinite().all())


def test_compiles_to_one_graph(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot trace the type checker
    x, g = torch.rand(2, 1, 8, 8), torch.stack([torch.tensor([[0.8, -0.6], [0.6, 0.8]]), torch.eye(2)])
    compiled = torch.compile(warp, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, g), warp(x, g))
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand(2, 2, 2)
    torch.testing.assert_close(compiled(x, quarter), torch.rot90(x, 1, (-2, -1)), rtol=0, atol=1e-5)


def test_exports_with_the_element_as_an_input():
    class Warp(torch.nn.Module):
        def forward(self, x, g):
            return warp(x, g)

    x, g = torch.rand(2, 1, 8, 8), rotation(90, torch.float32).expand(2, 2, 2).clone()
    program = torch.export.export(Warp(), (x, g))
    turned = rotation(30, torch.float32).expand(2, 2, 2).clone()
    torch.testing.assert_close(program.module()(x, turned), warp(x, turned))


@pytest.mark.parametrize(
    ("x", "g", "options", "message"),
    [
        (torch.zeros(2, 1, 4, 4, dtype=torch.long), torch.eye(2).expand(2, 2, 2), {}, "floating point"),
        (torch.zeros(2, 4, 4), torch.eye(2).expand(2, 2, 2), {}, r"\(B, C, H, W\)"),
        (torch.zeros(2, 1, 4, 4), torch.eye(2).expand(3, 2, 2), {}, "one matrix per example"),
        (torch.zeros(2, 1, 4, 4), torch.eye(4).expand(2, 4, 4), {}, "n = 2 or 3"),
        (torch.zeros(2, 1, 4, 4), torch.eye(2).expand(2, 2, 2), {"mode": "linear"}, "mode: got 'linear'"),
        (torch.zeros(2, 1, 4, 4), torch.eye(2).expand(2, 2, 2), {"padding": "wrap"}, "padding: got 'wrap'"),
        (torch.zeros(2, 1, 4, 4, 4), torch.eye(3).expand(2, 3, 3), {"mode": "bicubic"}, "bicubic"),
    ],
)
def test_bad_input_is_named(x, g, options, message):
    with pytest.raises(ValueError, match=message):
        warp(x, g, **options)


@pytest.mark.parametrize("shape", [(8, 12), (12, 8), (8, 8), (8, 12, 16), (12, 16, 8)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_counts_in_shortest_sides(shape, axis):
    """Along any axis a quarter of the shortest side, 8, is two pixels: to the right, upwards, along the slices."""
    if axis >= len(shape):
        return
    x = torch.rand(2, 1, *shape, dtype=torch.float64)
    t = torch.zeros(len(shape), dtype=torch.float64)
    t[axis] = 0.25 * 2  # two coordinates a side
    pixels = 2 * AXIS_SIGN[axis]
    moved = x.roll(pixels, -1 - axis)
    edge = slice(0, pixels) if pixels > 0 else slice(pixels, None)
    moved.movedim(-1 - axis, -1)[..., edge] = 0
    g = homogeneous(torch.eye(len(shape), dtype=torch.float64), t)
    torch.testing.assert_close(warp(x, g.expand(2, -1, -1)), moved, rtol=0, atol=1e-12)


def test_reported_units_and_pixel_shifts_agree_on_images_that_are_not_square():
    for shape in ((8, 12), (12, 8)):
        x = torch.rand(1, 1, *shape, dtype=torch.float64)
        unit = Translation2().generators[0]
        assert unit.unit == "shortest side"
        reported = Translation2().exp(torch.tensor([[0.25 * unit.per_unit, 0.0]], dtype=torch.float64))
        torch.testing.assert_close(reported, pixel_shifts(x, [(2, 0)]))
        torch.testing.assert_close(warp(x, reported)[..., 2:], x[..., :-2], rtol=0, atol=1e-12)
