"""Simulated temperatures: what belongs to the place, and what to the day."""

import pytest
import torch

import learnsym as ls
from learnsym.data.processes import SurfaceTemperatures
from learnsym.data.processes.temperatures import LENGTH_OF_WEATHER, NORTHWARDS, SEASON, climate, waves
from learnsym.data.seeding import generator
from learnsym.tasks import LOCATIONS

PLACES = 2 * torch.rand(1, 400, 2, generator=torch.Generator().manual_seed(0)) - 1


def test_the_map_is_the_same_in_all_tasks_and_differs_from_place_to_place():
    first, again = (climate(PLACES, torch.zeros(1, 1)) for _ in range(2))
    assert torch.equal(first, again)
    assert float((first + NORTHWARDS * PLACES[..., 1]).std()) > 0.1


def test_seasons_swing_on_land_alone():
    swing = climate(PLACES, torch.full((1, 1), 0.5)) - climate(PLACES, torch.zeros(1, 1))
    assert float(swing.min()) > 0 and float(swing.max()) <= 2 * SEASON + 1e-5
    assert float(swing.min()) < 0.2 * SEASON and float(swing.max()) > 1.8 * SEASON


def test_weather_has_variance_one_and_its_kernel():
    x = torch.tensor([[0.0, 0.0], [LENGTH_OF_WEATHER, 0.0], [5.0, 5.0]]).expand(4000, 3, 2)
    w = waves(x, LENGTH_OF_WEATHER, 4000, generator(0, 1))
    covariance = w.T @ w / len(w)
    expected = torch.tensor([[1.0, 0.6065, 0.0], [0.6065, 1.0, 0.0], [0.0, 0.0, 1.0]])  # exp(-1/2)
    torch.testing.assert_close(covariance, expected, atol=0.07, rtol=0)


def test_tasks_are_those_of_their_seed_and_lie_where_they_should():
    here, there = (SurfaceTemperatures(context=8, targets=16, shift=shift).dataset(5, seed=3) for shift in (0.0, 12.0))
    assert torch.equal(SurfaceTemperatures(context=8, targets=16).dataset(5, seed=3).y, here.y)
    low, high = (float(f(there.inputs[LOCATIONS][:, 8:, 0])) for f in (torch.min, torch.max))
    assert low >= 11 and high <= 13 and float(here.inputs[LOCATIONS].abs().max()) <= 1
    assert not torch.equal(here.y, there.y)


def test_bad_input():
    with pytest.raises(ValueError, match="context, targets: got 0, 5"):
        SurfaceTemperatures(context=0, targets=5)
    assert ls.data.load("temperatures-elsewhere", config=ls.data.DataConfig(train=2, val=2, test=2)).in_shape == (
        192,
        2,
    )
