"""The warning about inexact input sizes names the layer and the remedy."""

import logging

import pytest
import torch
from torch import nn

from learnsym.measure import warn_if_inexact
from learnsym.nets import P4CNN, GroupResNet


def test_names_the_layer_and_the_nearest_exact_size(caplog):
    with caplog.at_level(logging.WARNING):
        assert warn_if_inexact(P4CNN(1, 10, width=1), 27, channels=1) == 28
    assert "not exact at 27 pixels: features.7: max_pool2d" in caplog.text
    assert "the nearest exact size is 28" in caplog.text


def test_says_nothing_at_exact_sizes(caplog):
    assert warn_if_inexact(P4CNN(1, 10, width=1), 28, channels=1) == 28
    assert not caplog.text


@pytest.mark.parametrize(("size", "nearest"), [(31, 33), (32, 33), (34, 33), (35, 37)])
def test_nearest_on_either_side(size, nearest):
    assert warn_if_inexact(GroupResNet(3, 10, width=1, blocks=(1, 1, 1)), size) == nearest


def test_no_exact_size_in_reach(caplog):
    assert warn_if_inexact(lambda x: nn.functional.max_pool2d(x, 5), 12, limit=1) is None
    assert "no size within 1 pixels is exact" in caplog.text


def test_a_size_that_cannot_run():
    with pytest.raises(ValueError, match="size: got 2, at which the network cannot run"):
        warn_if_inexact(nn.Sequential(nn.Conv2d(3, 3, 5), nn.AvgPool2d(2)), 2)
    assert torch.is_grad_enabled()
