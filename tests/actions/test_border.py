"""The border of images and volumes, and the word when moves bring in another value beside it."""

import logging

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.actions import Channels, Image, Volume, border_level
from learnsym.actions.border import fills_with_zeros, warn_of_border
from learnsym.groups import Affine2, Colour, Cyclic, Product


def on_ground(*levels, noise=0.0, size=12):
    """Squares of random brightness on a ground of one level a channel."""
    x = torch.tensor(levels).view(1, -1, 1, 1) * torch.ones(40, len(levels), size, size)
    x[..., 4:8, 5:9] += 0.5 + torch.rand(40, len(levels), 1, 1)
    return x + noise * torch.randn_like(x)


@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1])
def test_levels_by_channel(noise):
    found = border_level(on_ground(0.4, -0.42, 1.0, noise=noise))
    assert found is not None and torch.allclose(found, torch.tensor([0.4, -0.42, 1.0]), atol=0.02)


def test_black_is_exactly_zero():
    assert border_level(on_ground(0.0, noise=0.01)).tolist() == [0.0]
    assert border_level(torch.zeros(3, 2, 6, 6)).tolist() == [0.0, 0.0]


def test_objects_may_cover_less_than_half_of_the_border():
    x = on_ground(0.25)
    x[:, :, 0, 2:10] = 1.0
    x[:, :, -1, 2:10] = 1.0
    assert border_level(x).tolist() == [0.25]


def test_slopes_and_textures_have_no_level():
    assert border_level(on_ground(0.4) + torch.linspace(0, 2, 12)) is None
    assert border_level(on_ground(0.4, noise=0.05) + torch.linspace(0, 0.2, 12)) is None
    assert border_level(on_ground(0.4) + 0.3 * torch.rand(40, 1, 1, 1)) is None
    assert border_level(torch.rand(10, 3, 12, 12)) is None


def test_volumes_and_halves():
    x = torch.full((3, 1, 6, 6, 6), 0.5, dtype=torch.bfloat16)
    x[..., 2:4, 2:4, 2:4] = 1.0
    assert border_level(x).tolist() == [0.5] and border_level(x).dtype == torch.bfloat16


def test_what_fills_with_zeros():
    assert fills_with_zeros(Image()) and fills_with_zeros(Volume())
    assert not fills_with_zeros(Image(padding="border")) and not fills_with_zeros(Channels())


def said(caplog, action, group, x):
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        warn_of_border(action, group, x)
    return caplog.text


def test_word_of_a_border_that_shows(caplog):
    both = ls.actions.Product((Image(), Channels()), sizes=(3, 2))
    assert "border is constant at 0.4" in said(caplog, Image(), Affine2(), on_ground(0.4))
    assert "padding='border'" in said(caplog, Image(), Cyclic(8), on_ground(0.4))
    assert "border" in said(caplog, both, Product(Affine2(), Colour()), on_ground(0.4))
    for quiet in (
        (Image(), Affine2(), on_ground(0.0)),
        (Image(), Cyclic(4), on_ground(0.4)),
        (Image(padding="border"), Affine2(), on_ground(0.4)),
        (Image(), Affine2(), torch.rand(10, 1, 12, 12)),
    ):
        assert not said(caplog, *quiet)


def test_learned_augmentation_says_it_once(caplog):
    model = ls.augment.Augmented(nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), ls.symmetry_by_name("affine2d"))
    with caplog.at_level(logging.WARNING):
        model(on_ground(0.4))
        model(on_ground(0.4))
    assert caplog.text.count("border is constant") == 1
