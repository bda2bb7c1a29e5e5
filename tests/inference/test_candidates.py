"""Candidates fit the data that they are offered for; others say why they do not."""

import pytest
import torch

from learnsym.actions import PointCloud
from learnsym.inference import candidates_of
from learnsym.inference.candidates import chosen_of
from learnsym.inference.labels import Condition

KINDS = {
    "grey": torch.rand(4, 1, 8, 8),
    "colour": torch.rand(4, 3, 8, 8),
    "oblong": torch.rand(4, 2, 8, 12),
    "cloud": torch.randn(4, 5, 3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_candidate_fits_or_says_why(kind):
    for candidate in candidates_of(KINDS[kind]):
        assert candidate.fits == (not candidate.reason)
        if candidate.fits:
            candidate.symmetry.on_input.check_data(candidate.symmetry.group, KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_each_width_moves_examples_and_none_leaves_them(kind):
    x, generator = KINDS[kind], torch.Generator().manual_seed(0)
    assert torch.equal(Condition(None, 0.0).move(x, generator), x)
    for candidate in candidates_of(x):
        for width in candidate.widths if candidate.fits else ():
            moved = Condition(candidate, width).move(x.repeat(8, *[1] * (x.dim() - 1)), generator)
            assert moved.shape[1:] == x.shape[1:]
            assert not torch.equal(moved, x.repeat(8, *[1] * (x.dim() - 1))), candidate.name


def test_what_colour_and_squares_are_needed_for():
    reasons = {c.name: c.reason for c in candidates_of(KINDS["oblong"]) if not c.fits}
    assert reasons.keys() == {"hue", "quarter_turn", "channels_cycled"}
    assert "8 x 12" in reasons["quarter_turn"]
    assert "2 channels" in reasons["hue"]


def test_points_that_carry_vectors_are_moved_with_them():
    cloud = PointCloud(vectors=1)
    names = [c.name for c in candidates_of(torch.randn(4, 5, 6), cloud)]
    assert {"rotation_x", "rotation", "mirror_z", "scale"} <= set(names)


def test_other_data_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"x: got shape .4, 7., must be images"):
        candidates_of(torch.rand(4, 7))
    with pytest.raises(ValueError, match=r"only: got 'spin', must be one of rotation"):
        chosen_of(candidates_of(KINDS["grey"]), ["spin"])
