"""Memory: what does not fit is refused before it is taken, and what a wide network takes is found from narrow ones."""

from __future__ import annotations

import pytest

from learnsym import _memory
from learnsym.data import DataConfig, Signature, load_splits
from learnsym.nets import NetConfig
from learnsym.training import RunConfig, build_model
from learnsym.training.parameters import check_width

IMAGES = Signature(in_shape=(1, 8, 8), classes=10)


@pytest.fixture
def only(monkeypatch):
    """Sets how many bytes there are."""
    return lambda count: monkeypatch.setattr(_memory, "memory", lambda: count)


def test_this_machine_has_some():
    assert 2**28 < _memory.memory() < 2**60


@pytest.mark.parametrize("net", ["mlp", "cnn"])
def test_a_wide_network_is_as_large_as_narrow_ones_say(only, net):
    config = RunConfig(twin="plain", net=NetConfig(name=net, width=320, depth=2))
    needed = 16 * sum(p.numel() for p in build_model(config, IMAGES).parameters())
    only(int(needed * 1.001))
    build_model(config, IMAGES)
    only(int(needed * 0.999))
    with pytest.raises(ValueError, match=r"^net\.width: got 320, .*lower it"):
        build_model(config, IMAGES)


def test_narrow_networks_are_not_counted():
    check_width(256, lambda width: pytest.fail("built"))


def test_images_that_do_not_fit(only):
    config = DataConfig(name="digits", size=64, train=100, val=16, test=16)
    only(4 * 100 * 64 * 64)
    load_splits(config)
    only(4 * 100 * 64 * 64 - 1)
    with pytest.raises(ValueError, match=r"^data\.size: got 64"):
        load_splits(config)
