"""Batches of tasks: padding, order of locations, centres, and what is refused."""

from __future__ import annotations

import pytest
import torch

from learnsym.tasks import Tasks, padded_targets


def _some() -> Tasks:
    context = [(torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])), (torch.zeros(0, 1), torch.zeros(0, 1))]
    return Tasks.padded(context, [torch.tensor([[9.0]]), torch.tensor([[4.0], [6.0]])])


def test_tasks_are_what_their_dict_says():
    x = _some()
    assert all(torch.equal(a, b) for a, b in zip(Tasks.of(x.inputs()), x, strict=True))
    assert x.inputs()["locations"][0, :, 0].tolist() == [1.0, 3.0, 9.0, 9.0]
    assert x.mask.tolist() == [[True, True], [False, False]]


def test_the_centre_is_that_of_the_context_or_of_the_targets_without_one():
    assert _some().centre().flatten().tolist() == [2.0, 5.0]


def test_targets_carry_whether_they_are_there():
    y = padded_targets([torch.ones(1, 2), torch.ones(3, 2)])
    assert y.shape == (2, 3, 4) and y[0, :, 2:].sum() == 2 and y[1, :, 2:].all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tasks.of({"locations": torch.zeros(1, 2, 1)}), "which lacks values, mask"),
        (lambda: Tasks.of({**_some().inputs(), "mask": torch.ones(2, 3)}), r"mask \(2, 3\), must be"),
        (lambda: Tasks.of({**_some().inputs(), "locations": torch.zeros(2, 2, 1)}), "got 2 locations for 2 values"),
        (lambda: Tasks.padded([], []), "context: got 0 for 0 tasks"),
        (
            lambda: Tasks.padded([(torch.zeros(2, 1), torch.zeros(1, 1))], [torch.zeros(1, 1)]),
            "task 0 has 2 locations with 1 values and 1 targets",
        ),
        (
            lambda: Tasks.padded([(torch.zeros(2, 1), torch.zeros(2, 1))], [torch.zeros(0, 1)]),
            "task 0 has 2 locations with 2 values and 0 targets",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
