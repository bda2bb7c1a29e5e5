"""Laws of subgroups of finite groups."""

import torch

import learnsym as ls


def test_a_subgroup_is_closed_and_compares_by_its_elements():
    group = ls.groups.Dihedral(4)
    corner, side = ls.groups.Subgroup(group, [0, 4]), ls.groups.Subgroup(group, [5, 0])
    for each in (corner, side, ls.groups.Subgroup(group, range(8))):
        products = (each.components[:, None] @ each.components).flatten(0, 1)
        assert bool(each.contains(products).all()) and bool(group.contains(each.components).all())
    assert corner != side and corner == ls.groups.Subgroup(group, [4, 0])
    assert torch.equal(corner.components[0], torch.eye(2, dtype=torch.float64))


def test_quotients_by_two_mirrors_are_two_representations():
    group = ls.groups.Dihedral(4)
    kinds = [ls.representations.Quotient(group, ls.groups.Subgroup(group, [0, k])) for k in (4, 5)]
    fixed = [[int(kind(g).trace()) for g in group.components] for kind in kinds]
    assert [kind.size for kind in kinds] == [4, 4] and fixed[0] != fixed[1]
