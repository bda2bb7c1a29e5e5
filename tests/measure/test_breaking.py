"""Both scores of a data set against their exact values: told apart as often as can be, useful as often as it is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.measure.breaking.useful_asymmetry import orientation, random_score

C4 = ls.symmetry.quarter_turns2d()
LAWS = [
    (1.0, 0.0, 0.0, 0.0),
    (0.7, 0.3, 0.0, 0.0),
    (0.5, 0.5, 0.0, 0.0),
    (0.4, 0.4, 0.1, 0.1),
    (0.6, 0.15, 0.15, 0.1),
    (0.85, 0.05, 0.05, 0.05),
]


def wedges(law, count=500, seed=0):
    """A bright corner with noise, turned by quarter turns of a given law."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.zeros(1, 6, 6)
    corner[:, :2, :3] = 3.0
    turns = torch.multinomial(torch.tensor(law), count, replacement=True, generator=generator)
    orbit = torch.stack([corner.rot90(k, (1, 2)) for k in range(4)])
    return orbit[turns] + 0.3 * torch.randn(count, 1, 6, 6, generator=generator), turns


def perceptron(bins):
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 24), nn.ReLU(), nn.Linear(24, bins))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_quarter_turns_are_told_as_often_as_their_law_says(law):
    x, _ = wedges(law)
    found = ls.measure.asymmetry(x, C4, splits=2, steps=150, network=perceptron)
    assert abs(found.mean - ls.measure.orbit_asymmetry(torch.tensor(law))) <= 2 * found.stderr
    assert 0.01 < found.stderr < 0.04 and found.largest == 0.875 and found.is_broken


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_uniform_law_cannot_be_told(seed):
    x, _ = wedges((0.25, 0.25, 0.25, 0.25), seed=seed)
    found = ls.measure.asymmetry(x, C4, splits=2, steps=150, network=perceptron, seed=seed)
    assert abs(found.mean - 0.5) <= 2 * found.stderr and not found.is_broken


def test_points_turned_by_lie_groups():
    x = torch.randn(200, 5, 3)
    upright = x * torch.tensor([0.2, 0.2, 2.0])
    g = ls.groups.SO3().haar(200)
    turned = torch.einsum("bij,bnj->bni", g, upright)
    told, not_told = (ls.measure.asymmetry(each, "so3", splits=1, steps=120, samples=4) for each in (upright, turned))
    assert told.is_broken and told.largest == 1
    assert abs(not_told.mean - 0.5) <= 2.5 * not_told.stderr


def test_the_exact_value_of_an_orbit():
    assert ls.measure.orbit_asymmetry(torch.tensor([1.0, 0])) == 0.75
    assert ls.measure.orbit_asymmetry(torch.eye(24)[0]) == pytest.approx(1 - 1 / 48)
    thetas = torch.rand(20, 5).double()
    thetas = thetas / thetas.sum(1, keepdim=True)
    for theta in thetas:  # half of the accuracy of always taking the likelier of both laws
        assert ls.measure.orbit_asymmetry(theta) == pytest.approx(0.5 * float(theta.clamp(min=0.2).sum()))


@pytest.fixture(scope="module")
def sixes_and_nines():
    """Small digits that are each other's half turn."""
    digits = ls.data.load("digits", split="train")
    chosen = (digits.y == 6) | (digits.y == 9)
    return digits.x[chosen], (digits.y[chosen] == 9).long()


def test_six_and_nine_are_told_by_their_orientation(sixes_and_nines):
    found = ls.measure.useful_asymmetry(*sixes_and_nines, C4)
    assert found.ratio > 1.5 and found.is_useful and found.stderr < 0.25
    x, y = (each.numpy() for each in sixes_and_nines)
    assert ls.measure.useful_asymmetry(x, y, C4).ratio == found.ratio
    assert found.oriented > 0.75 and abs(found.rotated - 0.5) < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_labels_are_not(sixes_and_nines, seed):
    x, y = sixes_and_nines
    shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))]
    found = ls.measure.useful_asymmetry(x, shuffled, C4, seed=seed)
    assert abs(found.ratio - 1) <= 2 * found.stderr


def test_a_symmetric_law_has_no_useful_orientation(sixes_and_nines):
    x, y = sixes_and_nines
    turns = torch.randint(4, (len(x),), generator=torch.Generator().manual_seed(0))
    turned = torch.stack([image.rot90(int(k), (1, 2)) for image, k in zip(x, turns, strict=True)])
    found = ls.measure.useful_asymmetry(turned, y, C4)
    assert abs(found.ratio - 1) <= 2.5 * found.stderr


def test_numbers_have_the_ratio_of_their_errors():
    x, turns = wedges((0.25, 0.25, 0.25, 0.25))
    y = turns.double() + 0.5 * torch.randn(len(turns)).double()
    found = ls.measure.useful_asymmetry(x, y, C4)
    # a variance of 1.25 between turns, and 0.25 within
    assert abs(found.ratio - 1.5 / 0.25) <= 3 * found.stderr and abs(found.oriented - 0.25) < 0.05


def test_orientations_follow_their_examples():
    x, symmetry = torch.randn(40, 1, 8, 8), ls.symmetry.square2d()
    table = ls.groups.cayley_table(symmetry.group)
    before = orientation(x, symmetry, random_score(x, 0))
    for k, g in enumerate(symmetry.group.components.float()):
        moved = symmetry.on_input(g.expand(len(x), -1, -1), x)
        assert torch.equal(orientation(moved, symmetry, random_score(x, 0)), table[k][before])


def test_clouds_of_points_under_a_finite_group():
    octahedral = ls.Symmetry(ls.groups.Octahedral(), ls.actions.PointCloud())
    x = torch.randn(300, 6, 3) * torch.tensor([0.2, 0.2, 1.0]) + torch.tensor([0.0, 0.0, 1.0])
    y = torch.arange(300) % 2
    x = torch.where(y[:, None, None] > 0, x, -x)
    assert ls.measure.useful_asymmetry(x, y, octahedral).ratio > 1.5


def test_what_does_not_fit_is_one_sentence():
    x, y = torch.rand(30, 1, 8, 8), torch.arange(30) % 2
    with pytest.raises(ValueError, match=r"^symmetry: got 'SO\(2\)', which interpolates"):
        ls.measure.asymmetry(x, "rotation2d")
    with pytest.raises(ValueError, match=r"^symmetry: got 'SO\(2\)', must be of a finite group"):
        ls.measure.useful_asymmetry(x, y, "rotation2d")
    with pytest.raises(ValueError, match=r"^x: got examples of shape \(1, 8, 6\), must be square"):
        ls.measure.asymmetry(x[..., :6], C4)
    for call in (lambda: ls.measure.asymmetry(x[:9], C4), lambda: ls.measure.useful_asymmetry(x[:9], y[:9], C4)):
        with pytest.raises(ValueError, match=r"^x: got 9 examples"):
            call()
    with pytest.raises(ValueError, match=r"^y: got shape \(29,\) for 30 examples"):
        ls.measure.useful_asymmetry(x, y[:29], C4)
    with pytest.raises(ValueError, match=r"^probabilities: got"):
        ls.measure.orbit_asymmetry(torch.tensor([0.5, 0.4]))
