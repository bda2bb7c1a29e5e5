"""Simulated dynamics by name: sizes, splits that share nothing, and no size in pixels."""

import jaxtyping
import pytest
import torch

from learnsym.actions import PointCloud
from learnsym.data import Sizes
from learnsym.data.dynamics import SOURCES, ChargedSystem

BY_NAME = {source.name: source for source in SOURCES}


@pytest.fixture
def without_shape_checks(monkeypatch):
    """They take most of the time of thousands of steps; the tests of the systems have them."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def test_names():
    charged = {"nbody5", "nbody20", "nbody5-norm-clamp", "nbody5-no-clamp", "nbody20-gravity", "nbody20-lorentz"}
    assert charged | {"gravity4", "springs5"} <= set(BY_NAME)
    assert all(BY_NAME[name].sizes == Sizes(3000, 2000, 2000) and BY_NAME[name].present for name in charged)


@pytest.mark.parametrize("name", [name for name in BY_NAME if not name.startswith("nbody20")])
def test_read(name, without_shape_checks):
    pools = BY_NAME[name].read(Sizes(4, 3, 5), 0)
    assert set(pools) == {"train", "test"} and len(pools["train"]) == 7 and len(pools["test"]) == 5
    for pool in pools.values():
        parts = PointCloud(1, 1).split(pool.x)
        assert pool.y.shape == parts.positions.shape and pool.name == name and pool.x.dtype == torch.float32
    assert not torch.equal(pools["train"].x[:5], pools["test"].x)
    again = BY_NAME[name].read(Sizes(3, 2, 2), 0)
    assert torch.equal(again["train"].x, pools["train"].x[:5])


def test_no_size():
    data = ChargedSystem(bodies=2).dataset(2)
    source = BY_NAME["nbody5"]
    assert source.resize(data, None) is data
    with pytest.raises(ValueError, match=r"data\.size: got 28"):
        source.resize(data, 28)


def test_the_target_is_frame_40_of_the_trajectory_whose_frame_30_is_the_input():
    system = ChargedSystem(bodies=3)
    frames, data = system.trajectories(4, seed=5, frames=41), system.dataset(4, seed=5)
    assert torch.equal(data.x, frames[:, 30].float())
    torch.testing.assert_close(data.y, frames[:, 40, :, :3].float())
