"""The density of readings as a Fourier series is the sum of kernels over all pairs."""

from __future__ import annotations

import pytest
import torch

from learnsym.measure.pose.alignment import BANDWIDTH, CHUNK, SMOOTH, density
from tests.reference import kernel_density


@pytest.mark.parametrize("bandwidth", [BANDWIDTH, SMOOTH])
@pytest.mark.parametrize("count", [1, 7, CHUNK + 3])
def test_values_and_gradients_are_those_of_all_pairs(bandwidth, count):
    random = torch.Generator().manual_seed(count)
    centre = (360 * torch.rand(count, generator=random, dtype=torch.float64) - 180).requires_grad_()
    at = torch.linspace(-180, 179, 73, dtype=torch.float64)
    fast, slow = density(centre, at, bandwidth), kernel_density.density(centre, at, bandwidth)
    torch.testing.assert_close(fast, slow, atol=1e-14, rtol=0)
    slopes = [torch.autograd.grad(p.square().sum(), centre)[0] for p in (fast, slow)]
    torch.testing.assert_close(*slopes, atol=1e-14, rtol=0)


def test_readings_keep_their_precision():
    centre = 360 * torch.rand(50) - 180
    fast = density(centre, torch.arange(360.0) - 180)
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast, kernel_density.density(centre, torch.arange(360.0) - 180, BANDWIDTH))
