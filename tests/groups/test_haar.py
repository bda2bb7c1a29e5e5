"""The Haar measure: normalised and invariant."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from learnsym.groups import SO2, SO3, AxialSO2, Permutation, Product


def moments(g):
    """First and second moments of the entries, as samples `(S, M)`."""
    flat = g.flatten(1)
    return torch.cat([flat, (flat[:, :, None] * flat[:, None]).flatten(1)], dim=-1)


def test_haar_draws_are_elements(compact_group):
    g = compact_group.haar(4, 5, dtype=torch.float64)
    assert g.shape == (4, 5, compact_group.n, compact_group.n)
    assert compact_group.contains(g).all()
    assert compact_group.haar().shape == (compact_group.n, compact_group.n)
    assert compact_group.haar(2).dtype == torch.float32


def test_haar_is_reproducible(compact_group):
    draws = [compact_group.haar(6, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*draws)


def test_haar_is_left_and_right_invariant(compact_group):
    samples = 4000
    h = compact_group.haar(dtype=torch.float64)
    a, b = moments(compact_group.haar(samples, dtype=torch.float64)), None
    for moved in (
        h @ compact_group.haar(samples, dtype=torch.float64),
        compact_group.haar(samples, dtype=torch.float64) @ h,
    ):
        b = moments(moved)
        stderr = ((a.var(0) + b.var(0)) / samples).sqrt()
        # six standard errors: no false alarm among some thousand moments
        assert ((a.mean(0) - b.mean(0)).abs() <= 6 * stderr + 1e-9).all()


def test_haar_visits_components_equally(compact_group):
    count = len(compact_group.components)
    if count == 1:
        pytest.skip("connected, or too many to list")
    index = compact_group.component(compact_group.haar(200 * count, dtype=torch.float64))
    frequency = torch.bincount(index, minlength=count) / (200 * count)
    assert ((frequency - 1 / count).abs() <= 6 * (1 / count / (200 * count)) ** 0.5).all()


@pytest.mark.parametrize("group", [SO2(), AxialSO2()], ids=str)
def test_density_of_circles_integrates_to_one(group):
    a = torch.linspace(-math.pi, math.pi, 101, dtype=torch.float64)[:, None]
    assert_close(torch.trapezoid(group.log_haar(a).exp(), a[:, 0]), torch.tensor(1.0, dtype=torch.float64))


def test_density_of_rotations_integrates_to_one():
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(30))
    radius, weights = 0.5 * math.pi * (nodes + 1), 0.5 * math.pi * weights
    axis = torch.tensor([2.0, -1.0, 2.0], dtype=torch.float64) / 3
    density = SO3().log_haar(radius[:, None] * axis).exp()
    assert_close((weights * 4 * math.pi * radius**2 * density).sum(), torch.tensor(1.0, dtype=torch.float64))


def test_density_is_the_jacobian_of_exp(compact_group, coordinates):
    """Haar density at `a` against 0: `|det (d/da log(exp(a)⁻¹ exp(a + da)))|`."""
    if not compact_group.dim:
        pytest.skip("finite")
    for a in coordinates(compact_group, 3):
        start = compact_group.inverse(compact_group.exp(a))
        jacobian = torch.func.jacrev(lambda x, start=start: compact_group.log(start @ compact_group.exp(x)))(a)
        ratio = compact_group.log_haar(a) - compact_group.log_haar(torch.zeros_like(a))
        assert_close(ratio, jacobian.det().abs().log())


def test_log_haar_has_the_batch_shape_and_finite_gradients(compact_group):
    a = torch.zeros(2, 3, compact_group.dim, dtype=torch.float64, requires_grad=True)
    density = compact_group.log_haar(a)
    assert density.shape == (2, 3)
    if compact_group.dim:
        (gradient,) = (
            torch.autograd.grad(density.sum(), a, allow_unused=True, materialize_grads=True)
            if density.requires_grad
            else (a,)
        )
        assert gradient.isfinite().all()


def test_angles_of_haar_rotations():
    angle = SO3().log(SO3().haar(20000, dtype=torch.float64)).norm(dim=-1)
    # E θ = ∫ θ (1 - cos θ) / π dθ = π/2 + 2/π
    assert abs(angle.mean() - (math.pi / 2 + 2 / math.pi)) < 6 * angle.std() / 20000**0.5


def test_large_permutations_are_uniform():
    positions = Permutation(20).haar(8000, dtype=torch.float64).mean(0)
    assert (positions - 1 / 20).abs().max() < 6 * (1 / 20 / 8000) ** 0.5


def test_no_haar_measure_without_compactness(other_group):
    with pytest.raises(ValueError, match="not compact"):
        other_group.haar(3)
    with pytest.raises(ValueError, match="not compact"):
        other_group.log_haar(torch.zeros(other_group.dim))


def test_a_product_of_compact_groups_is_compact():
    assert Product(SO2(), SO3()).is_compact
    a = torch.tensor([0.2, 0.1, -0.4, 0.3])
    assert_close(Product(SO2(), SO3()).log_haar(a), SO2().log_haar(a[:1]) + SO3().log_haar(a[1:]))
