"""What makes a group: closure, identity, inverse, associativity; and what makes a record: copy, pickle, value."""

import copy
import itertools
import pickle

import pytest
import torch
from torch.testing import assert_close

from learnsym.groups import (
    O2,
    SO2,
    SO3,
    Cyclic,
    Dihedral,
    Permutation,
    Product,
    YoungSubgroup,
    cayley_table,
    compact_part,
)


def test_products_and_inverses_stay_in_the_group(group, elements):
    g, h = elements(group, 50), elements(group, 50)
    assert group.contains(g).all()
    assert group.contains(group.compose(g, h)).all()
    assert group.contains(group.inverse(g)).all()


def test_the_identity_changes_nothing(group, elements):
    g, e = elements(group, 7), group.identity(7, dtype=torch.float64)
    assert e.shape == (7, group.n, group.n)
    assert group.contains(e).all()
    assert_close(group.compose(g, e), g)
    assert_close(group.compose(e, g), g)


def test_the_inverse_undoes(group, elements):
    g = elements(group, 20)
    eye = group.identity(20, dtype=torch.float64)
    assert_close(group.compose(g, group.inverse(g)), eye)
    assert_close(group.compose(group.inverse(g), g), eye)


def test_composition_is_associative(group, elements):
    g, h, k = elements(group, 20), elements(group, 20), elements(group, 20)
    assert_close(group.compose(group.compose(g, h), k), group.compose(g, group.compose(h, k)))


def test_other_matrices_are_outside(group, elements):
    g = elements(group, 20)
    g[:, -1, 0] += 0.3
    g[:, -1, -1] += 0.5
    assert not group.contains(g).any()


def test_components_are_elements_and_differ(group):
    assert group.contains(group.components).all()
    assert_close(group.components[0], torch.eye(group.n, dtype=torch.float64))
    if group.order == len(group.components) or group.dim:
        assert group.component(group.components).tolist() == list(range(len(group.components)))


def test_every_element_is_a_component_times_an_exponential(group, elements):
    if group.order is not None and group.order != len(group.components):
        pytest.skip("too many components to list")
    g = elements(group, 30)
    k = group.components[group.component(g)]
    assert_close(k @ group.exp(group.log(group.inverse(k) @ g)), g)


def test_finite_groups_are_closed_with_the_right_order(finite_group):
    elements = finite_group.elements(dtype=torch.float64)
    assert len(elements) == finite_group.order == len(torch.unique(elements.round(decimals=8), dim=0))
    table = cayley_table(finite_group)
    assert_close(elements[table], elements[:, None] @ elements[None])
    everything = torch.arange(len(elements)).expand_as(table)
    assert torch.equal(table.sort(0).values, everything.T)
    assert torch.equal(table.sort(1).values, everything)
    assert torch.equal(finite_group.component(elements), torch.arange(len(elements)))


@pytest.mark.parametrize(
    ("group", "order"),
    [
        (Cyclic(6), 6),
        (Dihedral(3), 6),
        (Permutation(5), 120),
        (Permutation(9), 362880),
        (YoungSubgroup(5, [[4, 2], [0, 1, 3]]), 12),
        (YoungSubgroup(12, [range(9), [9, 11]]), 725760),
        (YoungSubgroup(3, []), 1),
    ],
)
def test_orders(group, order):
    assert group.order == order


def test_classes_are_a_set_of_sets():
    assert YoungSubgroup(5, [[4, 2], [3, 0, 1]]) == YoungSubgroup(5, [[0, 1, 3], [2, 4]])
    assert YoungSubgroup(4, [range(4)]).elements().equal(Permutation(4).elements())
    assert YoungSubgroup(5, [[0, 1]]) != YoungSubgroup(6, [[0, 1]])


def test_elements_of_a_cyclic_group_are_powers_of_the_first_turn():
    elements = Cyclic(5).elements(dtype=torch.float64)
    for k in range(5):
        assert_close(torch.linalg.matrix_power(elements[1], k), elements[k])


def test_quarter_turns_are_exact():
    assert torch.equal(
        Cyclic(4).elements(),
        torch.tensor([[[1.0, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]]),
    )


def test_permutations_come_in_lexicographic_order():
    group = Permutation(4)
    orders = group.elements().argmax(-1).tolist()
    assert [tuple(order) for order in orders] == list(itertools.permutations(range(4)))


def test_the_order_of_a_lie_group_is_none(lie_group):
    assert lie_group.order is None
    with pytest.raises(ValueError, match="not finite"):
        lie_group.elements()


def test_groups_have_value(group):
    for twin in (copy.deepcopy(group), pickle.loads(pickle.dumps(group))):
        assert twin == group
        assert hash(twin) == hash(group)
        g = group.exp(0.3 * torch.ones(group.dim))
        assert torch.equal(twin.inverse(g), group.inverse(g))
    assert repr(group) == group.name


def test_different_groups_differ(group):
    assert group != Product(SO2(), O2())
    assert group != "SO(2)"


def test_a_product_splits_into_its_factors():
    from learnsym.groups import split

    group = Product(SO2(), SO3())
    a = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    turn, rotation = split(group, group.exp(a))
    assert_close(turn, SO2().exp(a[:1]))
    assert_close(rotation, SO3().exp(a[1:]))
    assert [generator.name for generator in Product(SO2(), O2()).generators] == ["rotation_1", "rotation_2"]


def test_the_compact_part_is_a_compact_subgroup(group):
    part = compact_part(group)
    if part is None:
        assert not group.is_compact
        return
    assert part.is_compact
    if part.n == group.n or (group.n == part.n + 1 and group.space in ("plane", "space")):
        g = group.identity(20, dtype=torch.float64)
        g[:, : part.n, : part.n] = part.haar(20, dtype=torch.float64)
        assert group.contains(g).all()
