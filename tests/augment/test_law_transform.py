"""The learned law of the input as a transform of data."""

from __future__ import annotations

import copy
import io
import pickle
import sys

import numpy as np
import PIL.Image
import pytest
import scipy.stats
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, LawTransform

ROTATIONS = ls.symmetry_by_name("rotation2d")
WIDTH = 0.5


def transform(symmetry=ROTATIONS):
    return LawTransform(symmetry, ls.distributions.LieBox(symmetry.group, torch.full((symmetry.group.dim,), WIDTH)))


def test_draws_follow_the_law():
    torch.manual_seed(0)
    g = transform().elements(4000)
    angles = torch.atan2(g[:, 1, 0], g[:, 0, 0]).numpy()
    assert scipy.stats.kstest(angles, scipy.stats.uniform(-WIDTH, 2 * WIDTH).cdf).pvalue > 0.01


@pytest.mark.parametrize("shape", [(3, 9, 9), (5, 3, 9, 9)])
def test_images_move_by_draws_of_their_own(shape):
    law, x = transform(), torch.rand(shape)
    torch.manual_seed(3)
    moved, label = law(x, "label")
    torch.manual_seed(3)
    g = law.elements(5 if len(shape) == 4 else 1)
    expected = ROTATIONS.on_input(g, x.reshape(-1, 3, 9, 9)).reshape(shape)
    assert torch.equal(moved, expected)
    assert label == "label"
    assert not torch.equal(law(x), moved)


def test_volumes_and_points():
    assert transform(ls.symmetry_by_name("so3"))(torch.rand(7, 3)).shape == (7, 3)
    volumes = ls.Symmetry(ls.groups.SO3(), ls.actions.Volume())
    assert transform(volumes)(torch.rand(2, 1, 5, 5, 5)).shape == (2, 1, 5, 5, 5)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pictures_and_bytes_keep_their_kind(mode):
    pixels = np.full((9, 9, 3) if mode == "RGB" else (9, 9), 200, dtype=np.uint8)
    picture = PIL.Image.fromarray(pixels)
    moved = transform()(picture)
    assert (moved.mode, moved.size) == (mode, (9, 9))
    assert np.array(moved)[4, 4].tolist() == pixels[4, 4].tolist()
    assert transform()(torch.full((3, 9, 9), 200, dtype=torch.uint8)).dtype == torch.uint8


def special(name):
    """A class of tensors such as torchvision has."""
    return type(name, (torch.Tensor,), {"__module__": "torchvision.tv_tensors"})


def test_masks_move_with_their_images():
    law = transform()
    image = torch.zeros(1, 9, 9)
    image[:, 2:5, 3:7] = 1
    mask = (image[0] > 0).long().as_subclass(special("Mask"))
    torch.manual_seed(0)
    moved, labels = law(image.as_subclass(special("Image")), mask)
    assert (type(moved).__name__, type(labels).__name__) == ("Image", "Mask")
    moved, labels = (each.as_subclass(torch.Tensor) for each in (moved, labels))
    sure = (moved[0] < 0.01) | (moved[0] > 0.99)
    assert torch.equal((moved[0] > 0.5)[sure], (labels > 0)[sure])
    several = mask[None].repeat(2, 1, 1).as_subclass(special("Mask"))
    torch.manual_seed(0)
    assert torch.equal(law(image, several)[1].as_subclass(torch.Tensor)[1], labels)
    with pytest.raises(ValueError, match="inputs: got BoundingBoxes of torchvision"):
        law(image, torch.zeros(1, 4).as_subclass(special("BoundingBoxes")))


def test_it_is_saved_without_torchvision_and_independent_of_the_model():
    model = Augmented(nn.Flatten(), ROTATIONS)
    law = ls.export.law_transform(model)
    buffer = io.BytesIO()
    torch.save(law, buffer)
    buffer.seek(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    x = torch.rand(3, 8, 8)
    for other in (pickle.loads(pickle.dumps(law)), torch.load(buffer, weights_only=False), copy.deepcopy(law)):
        torch.manual_seed(0)
        moved = other(x)
        torch.manual_seed(0)
        assert torch.equal(moved, law(x))
    assert not list(law.parameters())
    assert "torchvision" not in sys.modules


def test_the_law_of_a_model():
    model = Augmented(
        nn.Flatten(), ROTATIONS, ls.distributions.Fixed(ls.distributions.LieBox(ROTATIONS.group, torch.tensor([WIDTH])))
    )
    torch.manual_seed(0)
    drawn = ls.export.law_transform(model).elements(3)
    torch.manual_seed(0)
    assert torch.equal(drawn, transform().elements(3))


def test_what_is_refused():
    with pytest.raises(ValueError, match="model: got a Flatten, which has no learned law of its input"):
        ls.export.law_transform(nn.Flatten())
    wide = ls.distributions.LieBox(ROTATIONS.group, torch.ones(4, 1))
    with pytest.raises(ValueError, match=r"law: got one of batch shape \(4,\)"):
        LawTransform(ROTATIONS, wide)
    with pytest.raises(ValueError, match="law: is over SO"):
        LawTransform(ls.symmetry_by_name("translation2d"), ls.distributions.LieBox(ROTATIONS.group, torch.ones(1)))
    with pytest.raises(ValueError, match=r"x: got shape .*must have 3 axes"):
        transform()(torch.rand(9, 9))
    with pytest.raises(ValueError, match="inputs: got int, of which none is an image"):
        transform()(3)
    with pytest.raises(ValueError, match="symmetry: moves inputs by Invariant"):
        LawTransform(
            ls.Symmetry(ROTATIONS.group, ls.actions.Invariant()),
            ls.distributions.LieBox(ROTATIONS.group, torch.ones(1)),
        )


def test_laws_of_hypotheses_and_of_single_inputs():
    hypotheses = ls.augment.Hypotheses(nn.Flatten(), ROTATIONS)
    assert ls.export.law_transform(hypotheses)(torch.rand(3, 8, 8)).shape == (3, 8, 8)
    box = ls.augment.InstanceBox(ROTATIONS.group, nn.Sequential(nn.Flatten(), nn.Linear(64, 1)))
    with pytest.raises(ValueError, match="model: its law, InstanceBox, depends on the input"):
        ls.export.law_transform(Augmented(nn.Flatten(), ROTATIONS, box))
