"""The simulated plumes: what the flow keeps, and what walls and disc break."""

from __future__ import annotations

import pytest
import torch

import learnsym as ls
from learnsym.data.processes import Plumes
from learnsym.data.processes import plumes as module
from learnsym.data.processes.plumes import obstacle, projected, simulated


def _divergence(u: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
    right = 0.5 * (u[:, 0, :, 1:] + u[:, 0, :, :-1]) * free[:, 1:] * free[:, :-1]
    up = 0.5 * (u[:, 1, 1:] + u[:, 1, :-1]) * free[1:] * free[:-1]
    return module._divergence(right, up)


def test_the_projection_takes_away_most_of_the_sources_and_keeps_the_disc_still():
    free = (~obstacle(16)).float()
    x, y = module._places(16)
    u = torch.stack([(3 * x).sin() * y, (2 * y).cos() + x], 0)[None] * free
    found = projected(u, free)
    assert _divergence(found, free).square().mean() < 0.1 * _divergence(u, free).square().mean()
    assert not found[:, :, free == 0].any()


def test_smoke_rises_stays_in_bounds_and_out_of_the_disc():
    smoke = simulated(torch.tensor([[-0.6, -0.6], [0.25, -0.6]]), 16)
    assert float(smoke.min()) >= 0 and float(smoke.max()) <= 1.001
    assert not smoke[:, obstacle(16)].any()
    rows = torch.linspace(-1, 1, 16)[:, None]
    height = (smoke * rows).sum((1, 2)) / smoke.sum((1, 2))
    assert bool((height > -0.6).all()) and float(height[0]) > float(height[1])  # below the disc it is held up


def test_tasks_are_standardised_and_of_the_plane():
    data = Plumes().dataset(64, seed=0)
    y = data.y[..., 0]
    assert data.in_shape == (192, 2) and abs(float(y.mean())) < 0.3 and 0.7 < float(y.std()) < 1.3
    assert torch.equal(Plumes().dataset(64, seed=0).y, data.y)
    for name in ("translation2d", "quarter_turns2d", "se2"):
        assert data.signature.symmetry(name).on_input.part.key == "locations"


def test_what_is_refused():
    with pytest.raises(ValueError, match="context, targets, size: got 64, 128, 4"):
        Plumes(size=4)
    with pytest.raises(ValueError, match="clouds of points of dimension 2, must be one of translation2d"):
        ls.data.load("plumes", config=ls.data.DataConfig(train=2, val=2, test=2)).signature.symmetry("o3")
