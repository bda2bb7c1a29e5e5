"""Named symmetries, and the check that group and actions fit."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch

import learnsym as ls
from learnsym.symmetry import as_symmetry, named, permutation, symmetry_by_name, together


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


def test_a_symmetry_may_be_given_by_name_or_by_a_list():
    rotation = symmetry_by_name("rotation2d")
    assert as_symmetry(rotation) is rotation
    assert as_symmetry("rotation2d") == as_symmetry(["rotation2d"]) == as_symmetry(("rotation2d", rotation)) == rotation
    assert as_symmetry(["rotation2d", "flip2d"]) == symmetry_by_name("flip2d + rotation2d")
    with pytest.raises(ValueError, match=r"^symmetry: got \[\], must be a Symmetry, a name"):
        as_symmetry([])


@pytest.mark.parametrize(
    ("names", "known"),
    [
        ("rotation2d+flip2d", "orthogonal2d"),
        ("rotation2d+translation2d", "se2"),
        ("translation2d+rotation2d+scale2d", "similarity2d"),
        ("scale2d+affine2d", "affine2d"),
        ("quarter_turns2d+flip2d", "square2d"),
        ("rotation2d+quarter_turns2d", "rotation2d"),
        ("affine2d+colour", "affine2d_colour"),
        ("affine2d_colour+translation2d", "affine2d_colour"),
    ],
)
def test_several_symmetries_are_the_named_one_of_the_group_they_generate(names, known):
    assert symmetry_by_name(names) == symmetry_by_name(known)


SEVERAL = [
    "rotation2d+flip2d+scale2d",
    "translation2d+flip2d",
    "flip2d+colour",
    "rotation2d+flip2d+colour+hue_saturation",
    "square2d+scale2d+hue_saturation",
]


def smooth_images(n, channels=3, size=32):
    """Images of a few soft blobs well inside of the frame, so that interpolation and the border matter little."""
    axis = torch.linspace(-1, 1, size, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    centres = 0.3 * torch.randn(n, channels, 3, 2, 1, 1, dtype=torch.float64)
    return (-((x - centres[:, :, :, 0]) ** 2 + (y - centres[:, :, :, 1]) ** 2) / 0.08).exp().sum(2) + 0.3


@pytest.mark.parametrize("name", SEVERAL)
def test_several_symmetries_are_a_left_action(name):
    symmetry = symmetry_by_name(name)
    group = symmetry.group
    x = smooth_images(12)
    g, h = (
        group.components[torch.randint(len(group.components), (12,))]
        @ group.exp(0.3 * torch.randn(12, group.dim, dtype=torch.float64).clamp(-1, 1))
        for _ in range(2)
    )
    assert group.contains(g @ h).all()
    once, twice = symmetry.on_input(g @ h, x), symmetry.on_input(g, symmetry.on_input(h, x))
    inner = (..., slice(10, 22), slice(10, 22))  # warping leaves the frame twice on one side and once on the other
    assert (once - twice)[inner].abs().mean() < 0.03 * (x - symmetry.on_input(g, x))[inner].abs().mean()


def test_a_direct_product_of_rotations_and_flips_would_be_no_action():
    """Why several symmetries are joined: acting in turn, the parts do not compose."""
    turn, flip = symmetry_by_name("rotation2d"), symmetry_by_name("flip2d")
    x = smooth_images(1)
    g, f = turn.group.exp(torch.tensor([[0.5]], dtype=torch.float64)), flip.group.components[1:].double()
    in_turn = turn.on_input(g, flip.on_input(f, turn.on_input(g, x)))
    as_product = turn.on_input(g @ g, flip.on_input(f, x))
    assert (in_turn - as_product).abs().mean() > 0.1 * x.std()


def test_what_is_learned_of_several_symmetries_is_reported_by_part():
    model = ls.augment.Augmented(torch.nn.Identity(), as_symmetry(["rotation2d", "flip2d", "scale2d"]))
    found = {degree.generator: degree.unit for degree in ls.degrees(model)}
    assert found == {"rotation": "degree", "scale": "log", "reflection at 90": "probability"}


@pytest.mark.parametrize("names", ["rotation2d+so3", "so3+o3", "permutation3+flip2d", "e3+lorentz"])
def test_symmetries_of_different_data_do_not_go_together(names):
    with pytest.raises(ValueError, match=r"^symmetry: .* do not go together, since they are not all of images"):
        symmetry_by_name(names)


@pytest.mark.parametrize("name", ["rotation2d+", "+", "rotation2d+turn"])
def test_each_of_several_names_must_be_known(name):
    with pytest.raises(ValueError, match=r"^symmetry: got '(turn)?', must be one of rotation2d"):
        symmetry_by_name(name)


def test_what_moves_differently_does_not_go_together():
    image = ls.actions.Image()
    with pytest.raises(ValueError, match=r"outputs of .* move differently"):
        together([ls.symmetry.rotation2d(on_output=image), ls.symmetry.flip2d()])
    with pytest.raises(ValueError, match="warp images differently"):
        together([ls.symmetry.rotation2d(), ls.Symmetry(ls.groups.Dihedral(1), ls.actions.Image(padding="border"))])
    both = together([ls.symmetry.rotation2d(on_output=image), ls.symmetry.flip2d(on_output=image)])
    assert both == ls.symmetry.orthogonal2d(on_output=image)
