"""A data set refuses what no training could use."""

import pytest
import torch

from learnsym.data import Dataset

X = torch.rand(4, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": X[:0], "y": Y[:0]}, "empty"),
        ({"x": X.long()}, "whose range is not known, must be uint8"),
        ({"x": X.masked_fill(X.eq(X.max()), torch.nan)}, "NaN"),
        ({"y": Y[:3]}, "one target per example"),
        ({"y": Y + 2}, r"must lie in \[0, 2\]"),
        ({"y": Y - 1}, r"must lie in \[0, 2\]"),
        ({"y": Y.float()}, "must be integers"),
        ({"y": Y * torch.nan, "classes": 0}, "y: contains NaN"),
        ({"planted": torch.zeros(3, 5)}, "give one per example"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        Dataset(**{"x": X, "y": Y, "classes": 3, **change})


def test_ignored_label_may_lie_outside():
    maps = torch.full((4, 6, 6), 11, dtype=torch.uint8)
    assert Dataset(X, maps, classes=3, ignore=11).y.dtype == torch.long


def test_subset_keeps_everything_else():
    data = Dataset(X, Y, "noise", 3, ("a", "b", "c"), variant="made up", planted=torch.arange(20.0).reshape(4, 5))
    part = data.subset(torch.tensor([2, 0]))
    assert part.y.tolist() == [2, 0]
    assert part.planted[:, 0].tolist() == [10.0, 0.0]
    assert (part.name, part.classes, part.class_names, part.variant) == ("noise", 3, ("a", "b", "c"), "made up")


def test_bytes_become_pixels_between_zero_and_one():
    data = Dataset(torch.tensor([[0, 51, 255]], dtype=torch.uint8), torch.zeros(1))
    assert data.inputs.tolist() == [[0.0, pytest.approx(0.2), 1.0]]
