"""Laws of generators as operators: they are derivatives of the actions, and vanish where nothing moves."""

import math

import pytest
import torch

import learnsym as ls
from learnsym.measure.lie.flow import flow, spectral_derivative
from learnsym.measure.lie.generator import generator_named, operator_of

AFFINE = ls.groups.Affine2()
NAMES = [generator.name for generator in AFFINE.generators]
STEP = 1e-6


def moved_a_little(action, group, place, x, step):
    a = torch.zeros(group.dim, dtype=torch.float64)
    a[place] = step * group.generators[place].per_unit
    return action(group.exp(a).expand(len(x), -1, -1), x)


def random_images(height=7, width=9):
    return torch.rand(2, 2, height, width, dtype=torch.float64)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("place", range(6), ids=NAMES)
def test_bilinear_is_the_derivative_of_the_warp(place, padding):
    x, action = random_images(), ls.actions.Image(padding=padding)
    expected = (moved_a_little(action, AFFINE, place, x, 1e-4) - x) / 1e-4  # smaller ones count as no move
    actual = operator_of(action, AFFINE, place, "bilinear")(x)
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(actual[inside], expected[inside], atol=5e-3, rtol=0)
    if padding != "zeros":  # at t = 0+ a pixel on the edge already reads half a pixel outside, which is 0
        torch.testing.assert_close(actual, expected, atol=5e-3, rtol=0)


@pytest.mark.parametrize("derivative", ["spectral", "central"])
@pytest.mark.parametrize("place", range(6), ids=NAMES)
def test_smooth_images_have_the_exact_derivative(place, derivative):
    """A Gaussian bump that vanishes at the border, moved by a closed formula."""
    size = 64
    line = torch.arange(1 - size, size, 2, dtype=torch.float64) / size
    where = torch.stack(torch.meshgrid(-line, line, indexing="ij")[::-1], -1)

    def bump(u):
        return (-((u - torch.tensor([0.1, -0.05])) * torch.tensor([1.0, 1.4])).square().sum(-1) / 0.02).exp()[
            None, None
        ]

    g = AFFINE.algebra[place]
    u = where.clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(bump(u).sum(), u)
    expected = -(gradient * (where @ g[:2, :2].mT + g[:2, 2])).sum(-1)
    actual = flow(bump(where), g, derivative, "zeros")[0, 0]
    close = 1e-9 if derivative == "spectral" else 0.15 * float(expected.abs().max())
    torch.testing.assert_close(actual, expected, atol=close, rtol=0)


@pytest.mark.parametrize("size", [8, 9])
def test_spectral_derivative_is_exact_on_waves(size):
    i = torch.arange(size, dtype=torch.float64)
    wave, slope = (f(2 * math.pi * 3 * i / size) for f in (torch.sin, torch.cos))
    torch.testing.assert_close(spectral_derivative(wave, -1), 2 * math.pi * 3 / size * slope)


ACTIONS = {
    "points": (ls.groups.SE3(), ls.actions.PointCloud(vectors=1, scalars=1), (2, 5, 7)),
    "four-vectors": (ls.groups.Lorentz(), ls.actions.PointCloud(dim=4), (2, 5, 4)),
    "colour": (ls.groups.Colour(), ls.actions.Channels(), (2, 3, 6, 6)),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_other_actions_are_differentiated(name):
    group, action, shape = ACTIONS[name]
    x = torch.rand(shape, dtype=torch.float64)
    for place in range(group.dim):
        above, below = (moved_a_little(action, group, place, x, step) for step in (STEP, -STEP))
        expected = (above - below) / (2 * STEP)
        torch.testing.assert_close(operator_of(action, group, place)(x), expected, atol=1e-7, rtol=1e-6)


def test_vector_fields_turn_and_move():
    """The field v(u) = u does not change under rotations."""
    size = 32
    line = torch.arange(1 - size, size, 2, dtype=torch.float64) / size
    field = torch.stack(torch.meshgrid(-line, line, indexing="ij")[::-1], 0)[None]
    found = operator_of(ls.actions.VectorField(padding="border"), ls.groups.SO2(), 0, "central")(field)
    assert found[..., 1:-1, 1:-1].abs().max() < 1e-12


def test_products_take_the_block_of_their_factor():
    symmetry = ls.symmetry_by_name("affine2d_colour")
    x = random_images()
    brightness = operator_of(symmetry.on_input, symmetry.group, 6)(x)
    torch.testing.assert_close(brightness, torch.ones_like(x))


def test_nothing_moves_what_is_invariant_or_one_pixel():
    assert not operator_of(ls.actions.Invariant(), ls.groups.SO2(), 0)(torch.rand(3, 5)).any()
    assert not operator_of(ls.actions.Image(), ls.groups.SE2(), 2)(torch.rand(3, 5, 1, 1)).any()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="C_4 is finite and has no generators"):
        generator_named(ls.groups.Cyclic(4), None)
    with pytest.raises(ValueError, match="generator: got 'twist', must be one of translation_x"):
        generator_named(AFFINE, "twist")
    with pytest.raises(ValueError, match="label maps have no derivative"):
        operator_of(ls.actions.LabelMap(fill=0), AFFINE, 0)(torch.zeros(1, 4, 4, dtype=torch.long))
