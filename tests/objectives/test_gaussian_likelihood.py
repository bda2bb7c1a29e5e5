"""The likelihood of means and variances: its definition, targets that are not there, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

import learnsym as ls
from learnsym.objectives import GaussianLikelihood
from learnsym.training.evaluate import scores


def test_it_is_the_normal_density_of_the_targets_that_are_there():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(3, 5, 4, generator=generator, dtype=torch.float64)
    y, present = torch.randn(3, 5, 2, generator=generator).double(), torch.rand(3, 5, 2, generator=generator) > 0.4
    targets = torch.cat([torch.where(present, y, 99.0), present.double()], -1)
    nats = -Normal(outputs[..., :2], (outputs[..., 2:] / 2).exp()).log_prob(y)
    expected = torch.stack([nats[b][present[b]].mean() for b in range(3)])
    torch.testing.assert_close(GaussianLikelihood().of_each(outputs, targets), expected)
    torch.testing.assert_close(GaussianLikelihood()(outputs, targets), expected.mean())


def test_a_task_without_targets_adds_nothing():
    outputs = torch.randn(1, 2, 2, requires_grad=True)
    loss = GaussianLikelihood()(outputs, torch.zeros(1, 2, 2))
    loss.backward()
    assert float(loss.detach()) == 0 and outputs.grad is not None and not outputs.grad.any()


def test_scores_say_the_log_likelihood():
    x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
    data = ls.data.processes.task_dataset(x, ls.tasks.padded_targets([torch.rand(5, 1), torch.rand(2, 1)]))
    found = scores(torch.zeros(2, 5, 2), data, GaussianLikelihood())
    assert found["log_likelihood"] == -found["task"]


@pytest.mark.parametrize("shapes", [((2, 3, 2), (2, 3, 1)), ((2, 3, 3), (2, 3, 3)), ((2, 2), (2, 2))])
def test_what_is_refused(shapes):
    with pytest.raises(ValueError, match="outputs: got shape"):
        GaussianLikelihood().of_each(*map(torch.zeros, shapes))
