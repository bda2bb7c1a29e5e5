"""Bad input: each mistake gets a sentence with the argument, the value and the remedy."""

import math

import pytest
import torch

from learnsym.groups import (
    SO2,
    AxialSO2,
    CustomGroup,
    Cyclic,
    Dihedral,
    Generator,
    Join,
    Permutation,
    Product,
    Trivial,
    YoungSubgroup,
    cayley_table,
    plane_group,
    split,
)


@pytest.mark.parametrize("make", [Cyclic, Dihedral, Permutation, Trivial], ids=lambda make: make.__name__)
@pytest.mark.parametrize("N", [0, -2])
def test_a_group_needs_an_element(make, N):
    with pytest.raises(ValueError, match=rf"got {N}, must be >= 1"):
        make(N)


@pytest.mark.parametrize("make", [Cyclic, Dihedral, Permutation, Trivial], ids=lambda make: make.__name__)
@pytest.mark.parametrize("N", [1001, 999_999, 10**9, True])
def test_a_group_is_no_larger_than_its_tables(make, N):
    with pytest.raises(ValueError, match=r"^N: got "):
        make(N)


@pytest.mark.parametrize("name", ["C_0", "C_-1", "C_999999", "D_1000000000", "C_" + "9" * 5000, "C_1.5", "C_", "c_4"])
def test_names_of_groups_of_the_plane_are_bounded(name):
    with pytest.raises(ValueError, match=r"^(group|N): got "):
        plane_group(name)


def test_the_table_of_a_large_group_is_made_row_by_row():
    table = cayley_table(Cyclic(180))
    i = torch.arange(180)
    assert torch.equal(table, (i[:, None] + i) % 180)


@pytest.mark.parametrize("values", [{"per_unit": 0.0}, {"per_unit": math.nan}, {"cap": math.nan}, {"cap": -1.0}])
def test_generators_have_units_and_caps(values):
    with pytest.raises(ValueError, match=f"^{next(iter(values))}: got "):
        Generator(name="a", **values)


def test_coordinates_of_the_wrong_dimension(group):
    with pytest.raises(ValueError, match=f"must hold the {group.dim} coordinates"):
        group.exp(torch.zeros(5, group.dim + 1))


def test_matrices_of_the_wrong_size(group):
    with pytest.raises(ValueError, match=f"matrices {group.n} x {group.n}"):
        group.log(torch.eye(group.n + 1))
    with pytest.raises(ValueError, match=f"matrices {group.n} x {group.n}"):
        group.inverse(torch.zeros(2, group.n + 1, group.n + 1))


@pytest.mark.parametrize(
    ("N", "classes", "message"),
    [
        (0, [], "N: got 0, must be a whole number from 1 to 1000"),
        (3, [[0, 1], [1, 2]], r"classes: got \[\[0, 1\], \[1, 2\]\], must be disjoint sets of positions from 0 to 2"),
        (3, [[0, 3]], r"classes: got \[\[0, 3\]\], must be disjoint"),
        (3, [[0, 0]], r"classes: got \[\[0, 0\]\], must be disjoint"),
        (3, [[-1, 1]], r"classes: got \[\[-1, 1\]\], must be disjoint"),
    ],
)
def test_classes_of_positions_are_disjoint(N, classes, message):
    with pytest.raises(ValueError, match=message):
        YoungSubgroup(N, classes)


def test_large_symmetric_groups_are_not_listed():
    with pytest.raises(ValueError, match="too many to list"):
        Permutation(8).elements()
    with pytest.raises(ValueError, match="too many elements"):
        Product(Permutation(8), SO2())
    with pytest.raises(ValueError, match="no list of elements"):
        cayley_table(Permutation(8))
    with pytest.raises(ValueError, match="no list of elements"):
        cayley_table(SO2())


def test_dependent_generators():
    g = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="linearly independent; remove"):
        CustomGroup(torch.stack([g, 2 * g]))


def test_generators_whose_bracket_leaves_the_span():
    x, y = torch.zeros(2, 3, 3)
    x[1, 2], x[2, 1] = -1, 1
    y[0, 2], y[2, 0] = 1, -1
    with pytest.raises(ValueError, match="bracket of number 0 and number 1 lies outside"):
        CustomGroup(torch.stack([x, y]))
    assert CustomGroup(torch.stack([x, y]), closed=False).dim == 2


@pytest.mark.parametrize("shape", [(2, 2), (0, 2, 2), (1, 2, 3)])
def test_generators_of_a_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"must be \(D, n, n\)"):
        CustomGroup(torch.ones(shape))


def test_generators_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        CustomGroup(torch.full((1, 2, 2), torch.nan))


def test_names_for_each_generator():
    with pytest.raises(ValueError, match="got 2 for 1 generators"):
        CustomGroup(torch.tensor([[[1.0, 0], [0, 0]]]), names=["a", "b"])


def test_products_and_axes():
    with pytest.raises(ValueError, match="at least 2"):
        Product(SO2())
    with pytest.raises(ValueError, match="not a product"):
        split(SO2(), torch.eye(2))
    with pytest.raises(ValueError, match="0, 1 or 2"):
        AxialSO2(3)


def test_only_groups_of_the_plane_are_joined():
    with pytest.raises(ValueError, match=r"^groups: got none"):
        Join()
    for group in (AxialSO2(), Permutation(3), CustomGroup(torch.tensor([[[1.0, 0], [0, 0]]]), space="plane")):
        with pytest.raises(ValueError, match=r"^groups: got .*, must be made of rotations"):
            Join(SO2(), group)
