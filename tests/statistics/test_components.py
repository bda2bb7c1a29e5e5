import pytest
import torch

from learnsym.statistics import Estimate, variance_components


def test_variance_components_are_unbiased():
    planted = (4.0, 1.0, 0.25)
    draws = []
    for _ in range(300):
        a, b, c = torch.randn(12, 1, 1), torch.randn(12, 4, 1), torch.randn(12, 4, 3)
        found = variance_components(2 * a + b + 0.5 * c)
        draws.append([part.mean for part in found.components])
    means, error = torch.tensor(draws).mean(0), torch.tensor(draws).std(0) / 300**0.5
    assert ((means - torch.tensor(planted)).abs() < 4 * error).all()


def test_variance_components_give_back_the_standard_error():
    values = torch.randn(50, 1, dtype=torch.float64) + torch.randn(50, 6, dtype=torch.float64)
    found = variance_components(values)
    assert found.stderr(50, 6) == pytest.approx(Estimate.of(values.mean(1)).stderr)
    assert found.stderr(200, 6) == pytest.approx(found.stderr(50, 6) / 2)
    assert found.components[0].mean ** 0.5 / 50**0.5 < found.stderr(50, 1000) < found.stderr(50, 6)


def test_refusals():
    with pytest.raises(ValueError, match="at least 2 of each"):
        variance_components(torch.rand(5, 1))
    with pytest.raises(ValueError, match="some are not finite"):
        variance_components(torch.full((3, 3), torch.nan))
    with pytest.raises(ValueError, match="must be 2 numbers"):
        variance_components(torch.rand(5, 4)).stderr(10)
