"""The standard error of relative errors: that of a ratio whose unit comes from the same examples."""

import importlib.util
from pathlib import Path

import pytest
import torch

from learnsym.measure._distance import Distance
from learnsym.measure.moves import pairing, squared_distance
from learnsym.statistics import bootstrap_interval, student_interval

SCRIPT = Path(__file__).parents[2] / "experiments/how_sure/equivariance_error.py"


def measured(count, seed):
    """Errors and outputs of the same spread, so that their ratio is 1 in the limit."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randn(count, 2, dtype=torch.float64, generator=generator)
    errors, partner = y.abs().sum(1), pairing(count, seed)
    return Distance.between(squared_distance(y, y[partner]), y, partner), errors


def test_parts_have_the_mean_of_the_squares():
    distance, errors = measured(50, 0)
    assert float(distance.parts.mean()) == pytest.approx(float(distance.square))
    estimate = distance.estimate(errors)
    assert estimate.mean == pytest.approx(float(errors.mean() / distance.square.sqrt()))
    assert float(estimate.linear.mean()) == pytest.approx(estimate.mean)


def test_standard_errors_are_the_spread_over_replicates():
    found = [distance.estimate(errors) for distance, errors in (measured(80, seed) for seed in range(400))]
    spread = torch.tensor([one.mean for one in found]).std()
    assert sum(one.stderr for one in found) / 400 == pytest.approx(float(spread), rel=0.12)
    truth = torch.tensor(4 / (2 * torch.pi) ** 0.5 / 2)
    covered = [low <= truth <= high for low, high in (student_interval(one).ends for one in found)]
    assert 0.85 <= sum(covered) / 400 <= 0.95
    low, high = bootstrap_interval(found[0]).ends
    assert high - low == pytest.approx(2 * 1.645 * found[0].stderr, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear", "nearly invariant", "convolutions", "heavy tails"])
def test_intervals_cover_the_error_over_all_examples(name):
    spec = importlib.util.spec_from_file_location("coverage", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.coverage(name, replicates=400, examples=200)
    assert 0.85 <= found["student"] <= 0.95 and 0.85 <= found["bootstrap"] <= 0.95
