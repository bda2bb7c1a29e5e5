"""Hue and saturation: what they do to colours, by hand."""

import math

import torch
from torch.testing import assert_close

from learnsym.groups import HueSaturation

GROUP = HueSaturation()


def element(degrees=0.0, log=0.0):
    return GROUP.exp(torch.tensor([math.radians(degrees), log], dtype=torch.float64))


def test_a_third_of_a_turn_takes_red_to_green_to_blue():
    red, green, blue = torch.eye(3, dtype=torch.float64)
    third = element(120)
    for start, end in ((red, green), (green, blue), (blue, red)):
        assert_close(third @ start, end)


def test_the_colour_circle_of_hsv_is_visited_in_its_order():
    circle = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]], dtype=torch.float64)
    chroma = circle - circle.mean(1, keepdim=True)
    for start, end in zip(chroma, chroma.roll(-1, 0), strict=True):
        assert_close(element(60) @ start, end)


def test_grey_stays_and_every_colour_keeps_its_mean():
    g = GROUP.exp(torch.randn(20, 2, dtype=torch.float64))
    grey, colour = torch.full((3,), 0.7, dtype=torch.float64), torch.rand(3, dtype=torch.float64)
    assert_close(g @ grey, grey.expand(20, 3))
    assert_close((g @ colour).mean(-1), colour.mean().expand(20))


def test_saturation_scales_the_distance_from_grey():
    colour = torch.rand(3, dtype=torch.float64)
    grey = colour.mean()
    assert_close(element(log=math.log(2)) @ colour - grey, 2 * (colour - grey))
    assert_close((element(77, math.log(2)) @ colour - grey).norm(), 2 * (colour - grey).norm())


def test_hue_and_saturation_commute():
    hue, saturation = GROUP.algebra
    assert_close(hue @ saturation, saturation @ hue)
    assert_close(element(50) @ element(log=0.3), element(50, 0.3))


def test_taking_all_colour_away_is_no_element():
    grey = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    assert not GROUP.contains(grey)
    assert GROUP.contains(element(log=-5.0))
    assert not GROUP.contains(element() + 0.1)
