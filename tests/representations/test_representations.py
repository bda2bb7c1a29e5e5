"""Laws of representations: multiplication, orthogonality, Schur, decomposition, Fourier matrices."""

import copy
import itertools
import pickle

import pytest
import torch

from learnsym import groups
from learnsym import representations as reps
from learnsym.distributions import Quadrature
from learnsym.representations import permutations

PLANE = [groups.Trivial(), *[groups.Cyclic(n) for n in (1, 2, 3, 4, 8)], *[groups.Dihedral(n) for n in (1, 2, 3, 4, 6)]]
GROUPS = {str(group): group for group in [*PLANE, groups.SO2(), groups.O2(), groups.SO3(), groups.O3()]}


def all_irreps(group):
    return reps.irreps(group, None if group.order else 3)


def known(group):
    listed = [*all_irreps(group), *[reps.Harmonics(group, degree) for degree in range(4)]]
    return [*listed, reps.Regular(group)] if group.order else listed


@pytest.fixture(params=GROUPS.values(), ids=GROUPS.keys())
def group(request):
    return request.param


def draws(group, count=7):
    return group.haar(count, dtype=torch.float64)


def test_matrices_multiply_as_elements_do(group):
    g, h = draws(group), draws(group)
    for rho in known(group):
        torch.testing.assert_close(rho(g) @ rho(h), rho(g @ h), atol=1e-12, rtol=0)
        torch.testing.assert_close(
            rho(g) @ rho(g).mT, torch.eye(rho.size).double().expand(7, -1, -1), atol=1e-12, rtol=0
        )


def test_irreps_are_irreducible_and_different(group):
    for one, other in itertools.product(all_irreps(group), repeat=2):
        assert len(reps.intertwiners(one, other)) == (one.size // one.columns if one == other else 0)


def test_intertwiners_intertwine(group):
    harmonics, g = reps.Harmonics(group, 2), draws(group)
    for irrep in all_irreps(group):
        for T in reps.intertwiners(irrep, harmonics):
            torch.testing.assert_close(T @ irrep(g), harmonics(g) @ T, atol=1e-10, rtol=0)


def test_isotypic_components_span_everything(group):
    rho = known(group)[-1]
    matrices = reps.tensor_product(rho(reps.generating(group)), rho(reps.generating(group)))
    found = reps.isotypic(matrices, reps.irreps(group, None if group.order else 6))
    columns = torch.cat([c.embeddings.movedim(1, 0).flatten(1) for c in found], 1)
    torch.testing.assert_close(columns.mT @ columns, torch.eye(rho.size**2).double(), atol=1e-8, rtol=0)
    for component in found:
        for T in component.embeddings:
            moved = matrices @ T - T @ component.irrep(reps.generating(group))
            assert moved.abs().max() <= 1e-8


def test_harmonics_are_orthonormal_functions(group):
    limit = None if group.order else 3
    rule = Quadrature.haar(group, None if group.order else 6)
    values = reps.harmonics(group, rule.elements, limit)
    torch.testing.assert_close(
        values.mT @ (rule.weights[:, None] * values), torch.eye(values.shape[1]).double(), atol=1e-10, rtol=0
    )
    if group.order:
        assert values.shape[1] == group.order


def test_representations_compare_and_copy_by_value(group):
    for rho in known(group):
        assert pickle.loads(pickle.dumps(rho)) == rho == copy.deepcopy(rho)
        assert hash(copy.deepcopy(rho)) == hash(rho)


@pytest.mark.parametrize("degree", range(6))
def test_spherical_harmonics_are_orthonormal_and_turn(degree):
    rule = Quadrature.haar(groups.SO3(), 2 * degree + 1)
    x = rule.elements[:, :, 2]
    values = reps.spherical_harmonics(degree, x)
    torch.testing.assert_close(
        values.mT @ (rule.weights[:, None] * values), torch.eye(2 * degree + 1).double(), atol=1e-10, rtol=0
    )
    g = draws(groups.O3())
    moved = reps.spherical_harmonics(degree, torch.einsum("gij,pj->gpi", g, x[:20]))
    expected = torch.einsum("gmn,pn->gpm", reps.Harmonics(groups.O3(), degree)(g), values[:20])
    torch.testing.assert_close(moved, expected, atol=1e-11, rtol=0)


def test_quotients_permute_cosets():
    for larger, smaller in (
        (groups.Dihedral(4), groups.Dihedral(1)),
        (groups.Dihedral(4), groups.Cyclic(4)),
        (groups.Cyclic(8), groups.Cyclic(2)),
    ):
        rho = reps.Quotient(larger, smaller)
        assert rho.size * smaller.order == larger.order
        g = larger.components
        torch.testing.assert_close(rho(g[:, None]) @ rho(g[None]), rho(g[:, None] @ g[None]))
        assert (rho(smaller.components)[:, 0, 0] == 1).all()


def test_products_of_a_group_are_tabulated_once(monkeypatch):
    built = []
    table = permutations.cayley_table
    monkeypatch.setattr(permutations, "cayley_table", lambda group: built.append(group) or table(group))
    rho, g = reps.Quotient(groups.Dihedral(4), groups.Dihedral(1)), groups.Dihedral(4).components
    torch.func.grad(lambda a: (a * rho(g)).sum())(torch.ones((), dtype=torch.float64))
    first, twin = rho(g), pickle.loads(pickle.dumps(rho))
    assert twin == rho and torch.equal(twin(g), first)
    assert torch.equal(rho.cosets()[0], rho.cosets().min()) and len(built) == 1


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("frequency: got 3 for C_4, must be at least 0 and at most 2", lambda: reps.Irrep(groups.Cyclic(4), 3)),
        ("frequency: got -1", lambda: reps.Irrep(groups.SO2(), -1)),
        ("parity: got 1 for frequency 1 of O", lambda: reps.Irrep(groups.O2(), 1, 1)),
        ("parity: got 1", lambda: reps.Irrep(groups.SO2(), 0, 1)),
        ("whose representations are not known", lambda: reps.Irrep(groups.SE2(), 0)),
        ("band_limit: got None, must be given for SO", lambda: reps.irreps(groups.SO3())),
        ("must be finite", lambda: reps.Regular(groups.SO2())),
        ("subgroup: got C_3, which is no part of C_4", lambda: reps.Quotient(groups.Cyclic(4), groups.Cyclic(3))),
        ("which is no subgroup of", lambda: reps.Restriction(reps.Regular(groups.Cyclic(4)), groups.Dihedral(1))),
        ("which is no subgroup of", lambda: reps.Restriction(reps.Regular(groups.Cyclic(4)), groups.SO2())),
    ],
)
def test_bad_input_is_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("group", [groups.Cyclic(6), groups.Dihedral(4)], ids=str)
@pytest.mark.parametrize("subgroup", [groups.Trivial(), groups.Cyclic(2)], ids=str)
def test_orbits_of_pairs_span_the_intertwiners_of_permutations(group, subgroup):
    source, target = reps.Quotient(group, subgroup), reps.Regular(group)
    fast = reps.decomposition.orbit_indicators(source, target).flatten(1)
    g = group.components
    slow = reps.invariants(reps.tensor_product(target(g), source(g)))
    torch.testing.assert_close(fast @ fast.mT, torch.eye(len(fast), dtype=torch.float64))
    torch.testing.assert_close(fast.mT @ fast, slow.mT @ slow, atol=1e-12, rtol=0)


def test_large_permutations_have_the_intertwiners_of_their_orbits():
    regular = reps.Regular(groups.Cyclic(40))
    maps = reps.intertwiners(regular, regular)
    g = regular(groups.Cyclic(40).components[7])
    assert len(maps) == 40
    torch.testing.assert_close(maps @ g, g @ maps)
