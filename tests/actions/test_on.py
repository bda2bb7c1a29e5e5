"""The action on one part of structured data."""

import pytest
import torch

from learnsym import actions, groups
from learnsym.actions import Image, Invariant, On, PointCloud, Product
from learnsym.augment import equivariant
from learnsym.parts import Part
from learnsym.symmetry import Symmetry, symmetry_by_name, together

G = groups.Cyclic(4).components[[1, 3, 2]].double()
X = torch.rand(3, 1, 4, 4, dtype=torch.float64)
WHOLES = [
    ("image", {"image": X, "age": torch.arange(3)}),
    ("1", (torch.arange(3), X)),
    ("a.b", {"a": {"b": X}, "rest": torch.arange(3)}),
]


@pytest.mark.parametrize(("key", "whole"), WHOLES)
def test_the_part_moves_and_all_else_stays(key, whole):
    action, part = On(key, Image()), Part(key)
    moved = action(G, whole)
    assert torch.equal(part.get(moved), Image()(G, X))
    assert torch.equal(part.get(whole), X)
    rest = part.put(moved, None), part.put(whole, None)
    assert str(rest[0]) == str(rest[1])


def test_it_is_a_left_action():
    h, whole = G[[2, 0, 1]], {"image": X}
    action = On("image", Image())
    assert torch.equal(action(G, action(h, whole))["image"], action(G @ h, whole)["image"])


def test_checks_are_those_of_the_action():
    with pytest.raises(ValueError, match="PointCloud"):
        Symmetry(groups.SO3(), On("image", Image()))
    with pytest.raises(ValueError, match="got 'image', but there is a dict with keys picture; name one"):
        On("image", Image()).check_data(groups.SO2(), {"picture": X})
    with pytest.raises(ValueError, match="floating point"):
        On("image", Image()).check_data(groups.SO2(), {"image": X.long()})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: On("", Image()), "key: got ''"),
        (lambda: On("a", On("b", Image())), "give one action the key 'a.b'"),
        (lambda: Product((On("a", Image()), actions.Channels()), (3, 2)), r"actions: got On.*; write On\('a', Product"),
    ],
)
def test_actions_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_symmetry_at_parts():
    symmetry = symmetry_by_name("rotation2d").at(input="image", output="logits")
    assert symmetry == Symmetry(groups.SO2(), On("image", Image()), On("logits", Invariant()))
    assert symmetry.at(input="picture").on_input == On("picture", Image())
    assert symmetry.of_tensors == symmetry_by_name("rotation2d")
    assert together([symmetry, symmetry_by_name("flip2d").at("image", "logits")]).on_input == On("image", Image())
    assert equivariant(symmetry).on_output == On("logits", Image())
    assert symmetry.moving({"image": X}) is X
    assert symmetry.output({"logits": X}) is X
    assert symmetry.output(X) is X  # a model that has taken it out itself


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: together([symmetry_by_name("flip2d").at("a"), symmetry_by_name("scale2d")]), "different parts"),
        (lambda s: s.moving({"image": X}), "x: got a dict with keys image, of which one tensor moves; say which"),
        (lambda s: s.output((X, X)), "output: the model returns a tuple with parts 0, 1, of which one"),
        (lambda s: s.at(input="i").moving({"image": X}), "symmetry: got 'i', but there is a dict with keys image"),
        (lambda s: s.at(output="l").output({"a": X}), "symmetry: got 'l', but there is a dict with keys a"),
    ],
)
def test_a_symmetry_that_does_not_say_what_moves(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(Symmetry(groups.SO3(), PointCloud()))
