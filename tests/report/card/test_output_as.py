"""How outputs are taken to move, by their shape and by name."""

from __future__ import annotations

import pytest
import torch

from learnsym import actions, symmetry
from learnsym.report.card.output_as import read_outputs

IMAGES, CLOUDS, VOLUMES = torch.rand(3, 2, 8, 8), torch.rand(3, 5, 3), torch.rand(3, 1, 4, 4, 4)
MAPS = torch.zeros(3, 8, 8).long()


def action_on(outputs, named=None, x=IMAGES, y=None, of=None):
    reading = read_outputs(of or symmetry.rotation2d(), x, outputs, y, None, named)
    return reading.symmetry.on_output


@pytest.mark.parametrize(
    ("outputs", "y", "action"),
    [
        (torch.rand(3, 10), None, actions.Invariant()),
        (torch.rand(3, 4, 8, 8), None, actions.Image(padding="border")),
        (torch.rand(3, 4, 8, 8), MAPS, actions.Image(padding="border")),
        (torch.rand(3, 4, 4, 4), None, actions.Image(padding="border")),
        (torch.rand(3, 8, 8), None, actions.Image(padding="border")),
        (torch.rand(3, 4, 1, 1), None, actions.Invariant()),
        (torch.rand(3, 4, 8, 2), None, actions.Invariant()),
        (MAPS, MAPS, actions.LabelMap(fill=-100)),
    ],
    ids=["scores", "picture", "scores of pixels", "coarse", "grey", "pooled", "other sides", "labels"],
)
def test_by_shape_on_images(outputs, y, action):
    assert action_on(outputs, y=y) == action


def test_by_shape_on_others():
    assert isinstance(action_on(torch.rand(3, 5, 3), x=CLOUDS, of=symmetry.so3()), actions.PointVectors)
    assert isinstance(action_on(torch.rand(3, 5), x=CLOUDS, of=symmetry.so3()), actions.Invariant)
    assert isinstance(action_on(torch.rand(3, 5, 2), x=CLOUDS, of=symmetry.permutation(5)), actions.Set)
    assert isinstance(action_on(torch.rand(3, 2, 8, 8), of=symmetry.colour()), actions.Invariant)


@pytest.mark.parametrize(
    ("outputs", "named", "action"),
    [
        (torch.rand(3, 10), None, actions.Invariant()),
        (torch.rand(3, 4, 8, 8), None, actions.Sphere()),
        (torch.rand(3, 4, 4, 4), None, actions.Sphere()),
        (torch.rand(3, 4, 8, 8), "labels", actions.Sphere()),
        (MAPS, None, actions.SphereLabels()),
        (MAPS, "labels", actions.SphereLabels()),
    ],
    ids=["scores", "picture", "coarse", "scores of pixels", "guessed labels", "labels"],
)
def test_on_pictures_of_the_sphere(outputs, named, action):
    assert action_on(outputs, named, of=symmetry.sphere()) == action
    with pytest.raises(ValueError, match="output_as: got 'vectors'"):
        action_on(outputs, "vectors", of=symmetry.sphere())


def test_by_name():
    assert action_on(torch.rand(3, 4, 8, 8), "invariant") == actions.Invariant()
    assert action_on(torch.rand(3, 4, 8, 8), "vectors") == actions.VectorField()
    points = action_on(torch.rand(3, 5, 3), "points", x=CLOUDS, of=symmetry.e3())
    assert points == actions.PointCloud()
    assert action_on(torch.rand(3, 3), "vectors", x=CLOUDS, of=symmetry.so3()) == actions.PointVectors()


def test_what_was_taken_is_said():
    guessed = read_outputs(symmetry.flip2d(), IMAGES, torch.rand(3, 4, 8, 8), None, None, None).said
    assert "(4, 8, 8) are taken to move as images" in guessed and "--output-as" in guessed
    named = read_outputs(symmetry.flip2d(), IMAGES, torch.rand(3, 10), None, None, "invariant").said
    assert named == "Outputs of shape (10,) are taken to stay when inputs move."


@pytest.mark.parametrize("named", ["image", "labels", "vectors", "points", "picture"])
def test_what_outputs_cannot_be_is_refused(named):
    with pytest.raises(ValueError, match=r"output_as|must be"):
        action_on(torch.rand(3, 10), named)
