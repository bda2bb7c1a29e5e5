"""Losses compare values that belong together: shapes must be equal."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import learnsym as ls
from learnsym.measure.example_losses import mse as mse_of_examples

FITTING = [((4, 3), (4, 3)), ((4, 1), (4,)), ((4,), (4, 1)), ((1, 1), (1,)), ((2, 3, 4, 5), (2, 3, 4, 5))]
OTHERS = [((2, 3, 4, 5), (2, 4, 5, 3)), ((4, 4), (4, 2, 2)), ((4, 1), (4, 3))]


@pytest.mark.parametrize(("outputs", "targets"), FITTING)
def test_mse_is_the_mean_over_all_values(outputs, targets):
    a, b = torch.rand(outputs), torch.rand(targets)
    right = (a.flatten() - b.flatten()).square().mean()
    assert torch.isclose(ls.objectives.mse(a, b), right)
    assert torch.isclose(mse_of_examples(a, b).mean(), right)


@pytest.mark.parametrize("loss", [ls.objectives.mse, mse_of_examples])
@pytest.mark.parametrize(("outputs", "targets"), OTHERS)
def test_other_shapes_are_refused(loss, outputs, targets):
    with pytest.raises(ValueError, match=r"targets: got shape .*must be that of the outputs"):
        loss(torch.rand(outputs), torch.rand(targets))


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.huber_loss, nn.MSELoss(), nn.SmoothL1Loss()])
@pytest.mark.parametrize("objective", [ls.objectives.Supervised, ls.objectives.Augerino])
def test_losses_of_torch_do_not_expand_outputs(loss, objective):
    batch = torch.rand(4, 3), torch.rand(4)
    with pytest.raises(ValueError, match=r"loss_fn: got outputs of shape \(4, 1\) and targets of shape \(4,\)"):
        objective(loss)(nn.Linear(3, 1), batch)
    assert objective(loss)(nn.Linear(3, 1), (batch[0], batch[1][:, None])).total.isfinite()


def test_twirl_compares_values_that_belong_together():
    x = torch.rand(6, 3, 4, 4)
    symmetry = ls.symmetry.quarter_turns2d(ls.actions.Image())
    with pytest.raises(ValueError, match="must be that of the outputs"):
        ls.measure.twirl(lambda x: x, x, x.movedim(1, -1), symmetry)
