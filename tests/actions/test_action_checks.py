"""Groups and data that do not fit are named, with the remedy."""

import pytest
import torch

import learnsym as ls
from learnsym import actions, groups

MISFITS = [
    (actions.Image(), lambda: groups.SO3(), "Volume"),
    (actions.Image(), lambda: groups.Colour(), "Channels"),
    (actions.Volume(), lambda: groups.SO2(), "Image"),
    (actions.LabelMap(0), lambda: groups.Permutation(3), "Set"),
    (actions.VectorField(), lambda: groups.SO3(), "Volume"),
    (actions.PointCloud(), lambda: groups.SE2(), r"PointCloud\(dim=2\)"),
    (actions.PointCloud(dim=4), lambda: groups.SO3(), "space"),
    (actions.Set(), lambda: groups.SO2(), "index"),
    (actions.Channels(), lambda: groups.SO2(), "channels"),
    (actions.Channels(), lambda: groups.HueSaturation(), "RGB"),
    (actions.RGB(), lambda: groups.Colour(), "Channels"),
    (actions.RGB(), lambda: groups.CustomGroup(torch.eye(4)[None], space="rgb"), "3x3"),
    (actions.Product((actions.Image(),), (2,)), lambda: groups.SO2(), "product"),
    (
        actions.Product((actions.Image(), actions.Channels()), (3, 2)),
        lambda: groups.Product(groups.SO2(), groups.Colour()),
        "sizes",
    ),
    (
        actions.Product((actions.Channels(), actions.Image()), (2, 2)),
        lambda: groups.Product(groups.SO2(), groups.Colour()),
        "channels",
    ),
]


@pytest.mark.parametrize(("action", "group", "remedy"), MISFITS)
def test_a_group_that_does_not_fit(action, group, remedy):
    with pytest.raises(ValueError, match=remedy):
        action.check(group())
    with pytest.raises(ValueError, match=remedy):
        ls.Symmetry(group(), on_input=action)


IMAGES = torch.zeros(2, 1, 4, 4)
WRONG_DATA = [
    (actions.Image(), lambda: groups.SO2(), IMAGES[0], "B C H W"),
    (actions.Image(), lambda: groups.SO2(), IMAGES[:0], "no data"),
    (actions.Image(), lambda: groups.SO2(), IMAGES.byte(), r"x\.float\(\)"),
    (actions.Image(), lambda: groups.SO2(), IMAGES / 0, "NaN or infinite"),
    (actions.Volume(), lambda: groups.SO3(), IMAGES, "B C D H W"),
    (actions.LabelMap(0), lambda: groups.SO2(), IMAGES[:, 0], r"x\.long\(\)"),
    (actions.LabelMap(0), lambda: groups.SO2(), IMAGES.long(), "B H W"),
    (actions.LabelMap(-100), lambda: groups.SO2(), IMAGES[:, 0].byte(), "fill: -100"),
    (actions.VectorField(), lambda: groups.SO2(), IMAGES, "multiple of 2"),
    (actions.PointCloud(vectors=1), lambda: groups.SO3(), torch.zeros(2, 5, 3), "must be 6"),
    (actions.PointCloud(), lambda: groups.SO3(), torch.zeros(2, 3), "B N F"),
    (actions.PointCloud(), lambda: groups.SO3(), torch.zeros(2, 5, 3).long(), "floating point"),
    (actions.PointCloud(), lambda: groups.SO3(), torch.full((2, 5, 3), torch.inf), "30 of 30"),
    (actions.Set(), lambda: groups.Permutation(4), torch.zeros(2, 5, 3), r"\(B, 4, \.\.\.\)"),
    (actions.Channels(), lambda: groups.Colour(), IMAGES.byte(), "floating point"),
    (actions.Channels(), lambda: groups.Colour(), IMAGES[:0], "hold data"),
    (actions.RGB(), lambda: groups.HueSaturation(), IMAGES, "red, green and blue"),
    (actions.RGB(), lambda: groups.HueSaturation(), torch.zeros(0, 3, 4, 4), "hold data"),
    (actions.RGB(), lambda: groups.HueSaturation(), torch.zeros(2, 3, 4, 4).byte(), "floating point"),
]


@pytest.mark.parametrize(("action", "group", "x", "remedy"), WRONG_DATA)
def test_data_that_do_not_fit(action, group, x, remedy):
    with pytest.raises(ValueError, match=remedy):
        action.check_data(group(), x)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: actions.Image(mode="cubic"), "mode"),
        (lambda: actions.Image(padding="wrap"), "padding"),
        (lambda: actions.Volume(mode="bicubic"), "mode"),
        (lambda: actions.VectorField(dim=4), "dim"),
        (lambda: actions.PointCloud(vectors=-1), "vectors"),
        (lambda: actions.PointCloud(scalars=-1), "scalars"),
        (lambda: actions.PointCloud(dim=5), "dim"),
        (lambda: actions.Product((actions.Image(),), (2, 2)), "sizes"),
        (lambda: actions.Product((), ()), "sizes"),
    ],
)
def test_bad_arguments_are_named(make, argument):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        make()


def test_every_group_fits_at_most_one_of_these_actions():
    for name, make in groups.registry.items():
        group = make()
        known = (actions.Image(), actions.Volume(), actions.Channels(), actions.RGB(), actions.Set())
        fits = [action for action in known if _fits(action, group)]
        assert len(fits) <= 1, name
        assert (actions.Image() in fits) == (group.space == "plane"), name
        actions.Invariant().check(group)


def _fits(action, group):
    try:
        action.check(group)
    except ValueError:
        return False
    return True
