"""Scores of label maps with a background against counts by hand."""

import pytest
import torch

import learnsym as ls
from learnsym.training import foreground_scores


def test_scores_are_those_of_counts_by_hand():
    labels = torch.tensor([[0, 0, 1, 1, 2, 2, 2]])
    predicted = torch.tensor([[0, 1, 1, 0, 2, 1, 0]])
    scores = foreground_scores(predicted, labels, 3)
    assert scores["recall"] == pytest.approx(2 / 5)  # two of five, whatever was said instead
    assert scores["iou"] == pytest.approx((1 / 4 + 1 / 3) / 2)


def test_background_everywhere_scores_nothing_and_truth_everything():
    labels = torch.randint(0, 4, (3, 8, 8))
    assert foreground_scores(torch.zeros_like(labels), labels, 4) == {"recall": 0.0, "iou": 0.0}
    assert foreground_scores(labels, labels, 4) == {"recall": 1.0, "iou": 1.0}


def test_a_class_that_occurs_nowhere_is_left_out():
    labels = torch.tensor([[0, 1]])
    assert foreground_scores(labels, labels, 9)["iou"] == 1.0


def test_maps_without_foreground_are_refused():
    with pytest.raises(ValueError, match="nothing but background"):
        foreground_scores(torch.zeros(1, 2, dtype=torch.long), torch.zeros(1, 2, dtype=torch.long), 3)


def test_evaluation_has_them_for_maps_with_a_background():
    maps = torch.randint(0, 3, (4, 6, 6))
    data = ls.data.Dataset(torch.rand(4, 1, 6, 6), maps, "maps", 3, ("background", "a", "b"))
    net = torch.nn.Conv2d(1, 3, 1)
    assert {"recall", "iou"} <= ls.training.evaluate(net, data, ls.objectives.cross_entropy).keys()
    other = ls.data.Dataset(torch.rand(4, 1, 6, 6), maps, "maps", 3, ("sky", "a", "b"))
    assert "iou" not in ls.training.evaluate(net, other, ls.objectives.cross_entropy)
