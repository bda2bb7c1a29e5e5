"""Harm of augmentation to labels, on images whose answer is known."""

import pytest
import torch

from learnsym.inference import candidates_of, labels
from learnsym.inference.candidates import chosen_of
from learnsym.inference.labels import conditions_of, harms_of_fold, pooled, why_no_labels


def sides(n=160, size=12):
    """A bar on the left or on the right, at any height: mirrors change the label, shifts up and down do not."""
    draw = torch.Generator().manual_seed(0)
    y = torch.randint(2, (n,), generator=draw)
    x = torch.zeros(n, 1, size, size)
    for i, (label, row) in enumerate(zip(y.tolist(), torch.randint(2, 8, (n,), generator=draw).tolist(), strict=True)):
        x[i, 0, row : row + 3, 2 + 6 * label : 4 + 6 * label] = 1.0
    return x, y


def test_mirrors_that_exchange_classes_do_harm_and_others_do_not(monkeypatch):
    monkeypatch.setattr(labels, "BATCH", 32)
    x, y = sides()
    candidates = chosen_of(candidates_of(x), ["mirror_left_right", "mirror_upside_down"])
    folds = [harms_of_fold(x, y, candidates, fold, steps=50, seed=0) for fold in (0, 1)]
    (none, left_right, upside_down), _ = pooled(folds)
    assert none == 0.0
    assert left_right > 0.4  # one bit less, up to what the network leaves over
    assert abs(upside_down) < 0.1


@pytest.mark.parametrize("steps", range(1, 8))
def test_training_may_be_as_short_as_one_likes(steps, monkeypatch):
    monkeypatch.setattr(labels, "BATCH", 4)
    x, y = sides(20)
    assert harms_of_fold(x, y, chosen_of(candidates_of(x), ["hue", "half_turn"]), 0, steps=steps, seed=0)["loss"] > 0


def test_every_width_is_a_condition_after_none():
    candidates = candidates_of(torch.rand(2, 1, 8, 8))
    conditions = conditions_of(candidates)
    assert conditions[0].candidate is None
    assert len(conditions) == 1 + sum(len(c.widths) for c in candidates if c.fits)


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (None, "no labels"),
        (torch.zeros(5, 3), "several numbers"),
        (torch.zeros(5, 4, 4, dtype=torch.long), "maps"),
        (torch.ones(5, dtype=torch.long), "the same"),
        (torch.arange(5), ""),
        (torch.rand(5, 1), ""),
    ],
)
def test_which_targets_say_nothing_about_moves(y, says):
    assert (says in why_no_labels(y)) if says else why_no_labels(y) == ""
