"""Data augmentation with moved targets: the loss by hand, its law over the group, and what it teaches."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.actions import PointCloud
from learnsym.objectives import MovedExamples, Supervised, mse
from learnsym.training import OptimiserConfig, TrainConfig, fit

TYPES = PointCloud(vectors=1, scalars=1)
MOVED = ls.Symmetry(ls.groups.O3(), TYPES, PointCloud())


def problem(count=6, points=4):
    return torch.randn(count, points, 7), torch.randn(count, points, 3)


def test_the_loss_is_that_of_moved_examples_on_moved_targets():
    net, (x, y) = nn.Linear(7, 3), problem()
    objective = MovedExamples(mse, MOVED, copies=2)
    torch.manual_seed(1)
    g = objective.task.moves.elements(x)
    torch.manual_seed(1)
    found = objective(net, (x, y)).total
    errors = []
    for copy in g:
        for turn, cloud, target in zip(copy, x, y, strict=True):
            moved = torch.cat([cloud[:, :3] @ turn.T, cloud[:, 3:6] @ turn.T, cloud[:, 6:]], 1)
            errors.append((net(moved) - target @ turn.T).square().mean())
    torch.testing.assert_close(found, torch.stack(errors).mean())
    assert len(g.flatten(0, 1).unique(dim=0)) == 12  # each example and copy has an element of its own


def test_in_evaluation_examples_stay_where_they_are():
    net, batch = nn.Linear(7, 3).eval(), problem()
    assert torch.equal(MovedExamples(mse, MOVED)(net, batch).total, Supervised(mse)(net, batch).total)


def test_the_loss_does_not_depend_on_the_frame_of_the_data():
    net, (x, y) = nn.Linear(7, 3), problem()
    turn = ls.groups.O3().haar(1).expand(len(x), 3, 3)
    turned = MOVED.on_input(turn, x), MOVED.on_output(turn, y)
    augmented, plain = MovedExamples(mse, MOVED, copies=4000), Supervised(mse)
    with torch.no_grad():
        losses = [[objective(net, batch).total for batch in ((x, y), turned)] for objective in (augmented, plain)]
    torch.testing.assert_close(losses[0][0], losses[0][1], rtol=0.02, atol=0)
    assert abs(losses[1][0] - losses[1][1]) > 0.04 * losses[1][0]


def trained(objective):
    """A linear map of the plane z = 0, on which the task is the identity."""
    torch.manual_seed(0)
    x = torch.randn(64, 5, 3) * torch.tensor([1.0, 1.0, 0.0])
    net = nn.Linear(3, 3, bias=False)
    fit(net, objective, [(x, x)], optimiser=OptimiserConfig(lr=0.05, weight_decay=0.0), train=TrainConfig(steps=150))
    return net.weight.detach()


def test_it_teaches_what_the_examples_do_not_show():
    symmetry = ls.Symmetry(ls.groups.SO3(), PointCloud(), PointCloud())
    torch.testing.assert_close(trained(MovedExamples(mse, symmetry)), torch.eye(3), atol=0.02, rtol=0)
    assert (trained(Supervised(mse)) - torch.eye(3))[:, 2].abs().max() > 0.1


def test_a_group_without_a_uniform_law_needs_one():
    with pytest.raises(ValueError, match="distribution: got None"):
        MovedExamples(mse, ls.Symmetry(ls.groups.E3(), TYPES, PointCloud()))
