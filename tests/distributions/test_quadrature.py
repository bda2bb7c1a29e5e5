"""Quadratures: weights, membership, and the degree up to which averages are exact."""

import itertools
import math

import pytest
import torch

from learnsym import groups
from learnsym.distributions import Quadrature
from learnsym.distributions._rotation_rule import product_rule, sphere_rule

MADE = {name: make() for name, make in groups.registry.items()}
LISTED = [name for name, group in MADE.items() if group.order in (None, len(group.components))]
CURVES = [(name, generator.name) for name, group in MADE.items() for generator in group.generators]
INTEGRATED = ["c7", "d5", "s4", "so2", "o2", "so3", "o3", "so2_about_x"]


def check_rule(rule, group):
    assert rule.weights.sum() == pytest.approx(1.0, abs=1e-12) and (rule.weights > 0).all()
    assert group.contains(rule.elements, atol=1e-9).all()
    assert len(rule.labels) == len(rule.coordinates) == len(rule.weights) == len(rule.elements)


def power(rule, group, degree, moved=None):
    """Average of a polynomial of that degree in the entries of `h g`, a power of a linear form."""
    form = torch.randn(group.n, group.n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    elements = rule.elements if moved is None else moved @ rule.elements
    return rule.average((elements * form / form.norm()).sum((1, 2)) ** degree)


@pytest.mark.parametrize("name", LISTED)
def test_components(name):
    rule = Quadrature.components(MADE[name])
    check_rule(rule, MADE[name])
    assert len(rule.elements) == len(MADE[name].components)


@pytest.mark.parametrize(("name", "generator"), CURVES)
def test_along_every_generator(name, generator):
    group = MADE[name]
    finite = math.isfinite(next(g.cap for g in group.generators if g.name == generator))
    rule = Quadrature.along(group, generator, points=8, half_width=None if finite else 0.5)
    check_rule(rule, group)
    assert rule.labels[0].startswith(f"{generator} -")


def test_a_closed_orbit_has_equal_weights_and_an_open_one_half_ends():
    closed = Quadrature.along(groups.SO2(), "rotation", points=4)
    assert closed.coordinates.tolist() == [-180.0, -90.0, 0.0, 90.0] and closed.weights.tolist() == [0.25] * 4
    arc = Quadrature.along(groups.SO2(), "rotation", points=5, half_width=60.0)
    torch.testing.assert_close(arc.coordinates, torch.tensor([-60.0, -30.0, 0.0, 30.0, 60.0], dtype=torch.float64))
    assert arc.weights.tolist() == [0.125, 0.25, 0.25, 0.25, 0.125]


@pytest.mark.parametrize("name", INTEGRATED)
@pytest.mark.parametrize("degree", [1, 2, 5])
def test_averages_are_invariant_up_to_the_degree(name, degree):
    group = MADE[name]
    rule, h = Quadrature.haar(group, degree), group.haar(1, dtype=torch.float64)
    check_rule(rule, group)
    for lower in range(degree + 1):
        torch.testing.assert_close(power(rule, group, lower, h), power(rule, group, lower), atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["so2", "o2", "so3", "o3"])
def test_the_degree_is_needed(name):
    group = MADE[name]
    rule, h = Quadrature.haar(group, 2), group.haar(1, dtype=torch.float64)
    assert abs(power(rule, group, 6, h) - power(rule, group, 6)) > 1e-4


@pytest.mark.parametrize("degree", range(1, 60))
def test_weights_on_the_sphere_are_positive_and_exact(degree):
    points, weights = sphere_rule(degree)
    assert (weights > 0).all() and weights.sum() == pytest.approx(1.0, abs=1e-12)
    even = degree - degree % 2
    assert (weights * points[:, 2] ** even).sum() == pytest.approx(1 / (even + 1), abs=1e-12)


def test_rotation_averages_of_monomials():
    rule = Quadrature.haar(groups.SO3(), degree=4)
    r = rule.elements
    exact = {
        1 / 3: r[:, 0, 0] ** 2,
        1 / 5: r[:, 2, 2] ** 4,
        2 / 15: r[:, 0, 0] ** 2 * r[:, 1, 1] ** 2,
        1 / 6: r[:, 0, 0] * r[:, 1, 1] * r[:, 2, 2],
        0.0: r[:, 0, 1] ** 3,
    }
    for value, monomial in exact.items():
        assert float(rule.average(monomial)) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("rule", [sphere_rule, product_rule])
@pytest.mark.parametrize("degree", [1, 4, 9, 32, 140])
def test_sphere_rules(rule, degree):
    points, weights = rule(degree)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(len(points), dtype=torch.float64))
    v = torch.tensor([0.6, -0.48, 0.64], dtype=torch.float64)
    for power in range(degree + 1):
        exact = (power + 1) % 2 / (power + 1)
        assert float(weights @ (points @ v) ** power) == pytest.approx(exact, abs=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="362880 elements, too many to list"):
        Quadrature.components(groups.Permutation(9))
    with pytest.raises(ValueError, match=r"generator: got 'turn', and SO.2. must be one of rotation"):
        Quadrature.along(groups.SO2(), "turn")
    with pytest.raises(ValueError, match=r"use Quadrature.components"):
        Quadrature.along(groups.Cyclic(4), "rotation")
    with pytest.raises(ValueError, match="points: got 1"):
        Quadrature.along(groups.SO2(), "rotation", points=1)
    for half_width in (0.0, 181.0, math.nan):
        with pytest.raises(ValueError, match=r"at most 180 .unit: degree"):
            Quadrature.along(groups.SO2(), "rotation", half_width=half_width)
    with pytest.raises(ValueError, match="degree: got 0"):
        Quadrature.haar(groups.SO3(), degree=0)
    for group in (groups.SE2(), groups.Product(groups.SO2(), groups.SO2())):
        with pytest.raises(ValueError, match="no quadrature"):
            Quadrature.haar(group)


def test_usual_degrees():
    assert len(Quadrature.haar(groups.SO2()).elements) == 24 and len(Quadrature.haar(groups.O2()).elements) == 48
    assert len(Quadrature.haar(groups.SO3()).elements) in (84, 108)  # with and without Lebedev's rules


def test_labels_are_unlike():
    for name in INTEGRATED:
        labels = Quadrature.haar(MADE[name], degree=3).labels
        assert all(a != b for a, b in itertools.combinations(labels, 2))
