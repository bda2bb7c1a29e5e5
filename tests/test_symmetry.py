"""Named symmetries, and the check that group and actions fit."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch

import learnsym as ls
from learnsym.symmetry import named, permutation, symmetry_by_name


@pytest.mark.parametrize("name", [*named, "permutation3"])
def test_named_symmetries_have_value(name):
    symmetry = symmetry_by_name(name)
    assert symmetry.name == symmetry.group.name
    for twin in (copy.deepcopy(symmetry), pickle.loads(pickle.dumps(symmetry))):
        assert twin == symmetry
        assert hash(twin) == hash(symmetry)


def test_unknown_names_get_the_list():
    for name in ("rotation", "permutation", "permutation0", "permutation-1"):
        with pytest.raises(ValueError, match=rf"got '{name}', must be one of rotation2d.*permutation<n>"):
            symmetry_by_name(name)


def test_permutations_by_size():
    assert symmetry_by_name("permutation5") == permutation(5)


def test_group_and_action_must_fit():
    with pytest.raises(ValueError, match="group"):
        ls.Symmetry(ls.groups.SO3(), ls.actions.Image())
    with pytest.raises(ValueError, match="group"):
        ls.Symmetry(ls.groups.SO2(), ls.actions.Image(), on_output=ls.actions.Set())


def test_data_must_fit():
    symmetry = ls.symmetry.rotation2d(on_output=ls.actions.Image())
    images = torch.rand(2, 1, 4, 4)
    symmetry.check_data(images, images)
    with pytest.raises(ValueError, match="x"):
        symmetry.check_data(torch.rand(2, 4))
    with pytest.raises(ValueError, match="x"):
        symmetry.check_data(images, torch.rand(2, 4))


def test_outputs_may_move_with_the_input():
    symmetry = ls.symmetry.e3(vectors=1, on_output=ls.actions.PointCloud())
    g = symmetry.group.exp(torch.randn(2, 6))
    x = torch.randn(2, 5, 6)
    assert symmetry.on_input(g, x).shape == x.shape


def test_the_top_level_is_light():
    heavy = {"matplotlib", "seaborn", "jsonargparse", "escnn"}
    code = f"import learnsym, sys; learnsym.groups; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_top_level_lists_its_parts():
    assert set(ls.__all__) <= set(dir(ls))
    assert callable(ls.degrees)
    with pytest.raises(AttributeError, match="no attribute 'group'"):
        ls.group  # noqa: B018
