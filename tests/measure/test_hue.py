"""The local equivariance error of hue and saturation: exact values, central differences, what is and is not moved."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import learnsym as ls
from learnsym.measure import local_equivariance_error

COLOURS = ls.symmetry_by_name("hue_saturation")
SAME_COLOURS = ls.symmetry.hue_saturation(on_output=ls.actions.RGB())
UNITS = {"hue": math.radians(1), "saturation": 1.0}


def images(count=5):
    return torch.rand(count, 3, 6, 6, dtype=torch.float64)


class Flattened(nn.Module):
    """A network behind a choice of channels; flattens with `view`, as many models do."""

    def __init__(self, take):
        super().__init__()
        self.take = take
        self.net = nn.Sequential(nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 4)).double()

    def forward(self, x):
        return self.net(self.take(x).contiguous().view(len(x), -1))


def grey(x):
    return x.mean(1, keepdim=True)


def relative_errors(model, symmetry=COLOURS):
    rows = local_equivariance_error(model, images(), symmetry).rows
    return {row.generator: row.relative.per_sample.max().item() for row in rows}


def by_differences(model, x, generator, step=1e-4):
    """`L f(x)` of an invariant statement, from finite elements."""
    group = COLOURS.group
    place = [known.name for known in group.generators].index(generator)
    a = torch.zeros(len(x), 2, dtype=torch.float64)
    a[:, place] = step * UNITS[generator]
    after, before = (model(COLOURS.on_input(group.exp(sign * a), x)).detach() for sign in (1, -1))
    return (after - before) / (2 * step)


def test_a_function_of_the_mean_of_the_channels_is_invariant():
    errors = relative_errors(Flattened(lambda x: x.mean(1)))
    assert max(errors.values()) <= 1e-14, errors


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.299, 0.587, 0.114)], ids=["red", "luma"])
def test_other_weights_of_the_channels_are_seen(weights):
    weights = torch.tensor(weights, dtype=torch.float64)
    errors = relative_errors(Flattened(lambda x: torch.einsum("c,bchw->bhw", weights, x)))
    assert errors["hue"] >= 1e-3 and errors["saturation"] >= 0.1, errors


@pytest.mark.parametrize("generator", UNITS)
def test_equals_central_differences(generator):
    model, x = Flattened(lambda x: x[:, 0]), images()
    found = local_equivariance_error(model, x, COLOURS, [generator])[generator].lee.per_sample
    expected = by_differences(model, x, generator).square().mean(1)
    assert_close(found, expected, rtol=1e-7, atol=0)


def test_value_for_one_channel():
    """Of `x -> red`, hue gives `(blue - green) / √3` per radian and saturation `red - mean`."""
    x = torch.rand(5, 3, dtype=torch.float64)
    red, green, blue = x.unbind(1)
    errors = local_equivariance_error(lambda x: x[:, :1], x, COLOURS)
    assert_close(errors["hue"].lee.per_sample, ((blue - green) / math.sqrt(3) * UNITS["hue"]).square())
    assert_close(errors["saturation"].lee.per_sample, (red - x.mean(1)).square())


def test_colours_that_move_with_the_input():
    """Chroma times a number that depends on grey alone is equivariant; on the size of chroma, to hue only."""
    errors = relative_errors(lambda x: grey(x) + grey(x).exp() * (x - grey(x)), SAME_COLOURS)
    assert max(errors.values()) <= 1e-14, errors
    errors = relative_errors(lambda x: grey(x) + (x - grey(x)).norm(dim=1, keepdim=True) * (x - grey(x)), SAME_COLOURS)
    assert errors["hue"] <= 1e-14 and errors["saturation"] >= 0.1, errors


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batch_size_does_not_change_the_result(batch_size):
    model, x = Flattened(lambda x: x[:, 0]), images(9)
    whole = local_equivariance_error(model, x, COLOURS, batch_size=9)
    parts = local_equivariance_error(model, x, COLOURS, batch_size=batch_size)
    for generator in UNITS:
        assert_close(parts[generator].relative.per_sample, whole[generator].relative.per_sample, rtol=1e-12, atol=0)


def test_grey_images_and_single_channels():
    still = local_equivariance_error(lambda x: x.flatten(1), images()[:, :1].expand(-1, 3, -1, -1), COLOURS)
    assert max(row.relative.per_sample.max() for row in still.rows) <= 1e-14
    with pytest.raises(ValueError, match="red, green and blue"):
        local_equivariance_error(lambda x: x.flatten(1), images()[:, :1], COLOURS)
