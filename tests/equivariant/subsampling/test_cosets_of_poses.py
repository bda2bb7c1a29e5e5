"""Poses are a group; a pose is the product of its coset indices; features on cosets are gathered as defined."""

import itertools

import pytest
import torch
from torus_cases import C1, C2, C4, D2, D4, LEVELS, PLANE_GROUPS, moved, random_pose, whole

import learnsym as ls
from learnsym.equivariant import (
    FeatureField,
    FieldType,
    LatticePose,
    cosets_of,
)
from learnsym.equivariant.subsampling.cosets import embedded, factorise, remainder, representative
from learnsym.equivariant.subsampling.gather import extended_from, restricted_to
from learnsym.equivariant.subsampling.pose import about_centre, compose, identity_pose, inverse, lattice_tables, wrapped

SIZE = 8


def same(a: LatticePose, b: LatticePose, size: int = SIZE) -> bool:
    a, b = wrapped(a, (size, size)), wrapped(b, (size, size))
    return torch.equal(a.shift, b.shift) and torch.equal(a.element, b.element)


@pytest.mark.parametrize("group", PLANE_GROUPS, ids=str)
def test_poses_are_a_group(group: ls.groups.Group) -> None:
    tables = lattice_tables(group)
    a, b, c = (random_pose(group, 50, SIZE) for _ in range(3))
    assert same(compose(tables, compose(tables, a, b), c), compose(tables, a, compose(tables, b, c)))
    assert same(compose(tables, a, inverse(tables, a)), identity_pose(50))


@pytest.mark.parametrize(("group", "subgroup"), LEVELS, ids=str)
def test_a_pose_is_representative_times_remainder(group: ls.groups.Group, subgroup: ls.groups.Group) -> None:
    cosets = cosets_of(group, subgroup, 2)
    pose = random_pose(group, 100, SIZE)
    back = compose(cosets.fine, representative(cosets, pose), embedded(cosets, remainder(cosets, pose)))
    assert same(back, pose)


@pytest.mark.parametrize(("group", "subgroup"), LEVELS, ids=str)
def test_all_poses_of_a_coset_have_one_representative(group: ls.groups.Group, subgroup: ls.groups.Group) -> None:
    cosets = cosets_of(group, subgroup, 2)
    pose, k = random_pose(group, 100, SIZE), random_pose(subgroup, 100, SIZE // 2)
    other = compose(cosets.fine, pose, embedded(cosets, k))
    assert same(representative(cosets, other), representative(cosets, pose))


@pytest.mark.parametrize("chain", [(C1, C1, C1), (C4, C4, C2, C1), (D4, D4, D2, C1)], ids=str)
def test_recursive_factors_multiply_to_the_pose(chain: tuple[ls.groups.Group, ...]) -> None:
    levels = [cosets_of(a, b, 2) for a, b in itertools.pairwise(chain)]
    pose = random_pose(chain[0], 100, SIZE)
    found, product = factorise(levels, pose)
    for level, index in zip(levels[::-1], found[::-1], strict=True):
        product = compose(level.fine, index, embedded(level, product))
    assert same(product, pose)


@pytest.mark.parametrize("group", PLANE_GROUPS, ids=str)
def test_poses_about_the_centre_move_as_feature_fields_do(group: ls.groups.Group) -> None:
    fields = FieldType.regular(group, 2) + FieldType.trivial(group, 1)
    g = group.components
    x = torch.randn(len(g), fields.size, 6, 6, dtype=torch.float64)
    assert torch.equal(moved(fields, about_centre(group, g, (6, 6)), x), FeatureField(fields)(g, x))


@pytest.mark.parametrize("group", PLANE_GROUPS, ids=str)
def test_moving_twice_is_moving_by_the_product(group: ls.groups.Group) -> None:
    fields = FieldType.regular(group, 2) + FieldType.trivial(group, 1)
    x = torch.randn(20, fields.size, SIZE, SIZE)
    a, b = random_pose(group, 20, SIZE), random_pose(group, 20, SIZE)
    product = compose(lattice_tables(group), a, b)
    assert torch.equal(moved(fields, a, moved(fields, b, x)), moved(fields, product, x))


@pytest.mark.parametrize(("group", "subgroup"), LEVELS, ids=str)
def test_extension_is_the_adjoint_of_restriction(group: ls.groups.Group, subgroup: ls.groups.Group) -> None:
    cosets = cosets_of(group, subgroup, 2)
    pose = random_pose(group, 5, SIZE)
    x = torch.randn(5, 3, len(group.components), SIZE, SIZE, dtype=torch.float64)
    y = torch.randn(5, 3, len(subgroup.components), SIZE // 2, SIZE // 2, dtype=torch.float64)
    extended = extended_from(cosets, pose, y, True)
    assert torch.equal(restricted_to(cosets, pose, extended), y)
    torch.testing.assert_close((extended * x).sum(), (y * restricted_to(cosets, pose, x)).sum())


def test_restriction_reads_what_its_definition_says() -> None:
    cosets, fine = cosets_of(D4, C2, 2), whole(D4)
    pose = random_pose(D4, 1, SIZE)
    x = torch.randn(1, 1, 8, SIZE, SIZE)
    y = restricted_to(cosets, pose, x)
    for k in range(2):
        for row in range(4):
            for column in range(4):
                element = embedded(cosets, LatticePose(torch.tensor([[row, column]]), torch.tensor([k])))
                place = wrapped(compose(fine.fine, pose, element), (SIZE, SIZE))
                (r, c), h = place.shift[0], place.element[0]
                assert y[0, 0, k, row, column] == x[0, 0, h, r, c]


def test_bad_strides_and_subgroups_are_named() -> None:
    with pytest.raises(ValueError, match="stride: got 0"):
        cosets_of(C4, C4, 0)
    with pytest.raises(ValueError, match="subgroup"):
        cosets_of(C2, C4, 2)
    with pytest.raises(ValueError, match="does not map pixels"):
        lattice_tables(ls.groups.Cyclic(8))
