"""The dial that held-out examples prefer: the one that is right, and of equals the strictest."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.relax import FixedSoftness, KernelPixels, Softened

C4 = ls.groups.Cyclic(4)


class Compared(nn.Module):
    """Logits that compare two kernels."""

    def __init__(self, kernel):
        super().__init__()
        self.weight = nn.Parameter(kernel[None])

    def forward(self, x):
        score = 4 * torch.nn.functional.conv2d(x, self.weight).flatten(1)
        return torch.cat([score, -score], 1)


def models(kernel, dials=(0.0, 0.5, 1.0)):
    parameters = {"weight": KernelPixels(3)}
    return {b: Softened(Compared(kernel), C4, FixedSoftness(b), parameters=parameters) for b in dials}


def data(kernel, count=300):
    x = torch.randn(count, 1, 3, 3)
    return x, (torch.nn.functional.conv2d(x, kernel[None]).flatten() < 0).long()


def posterior(labels, net):
    return ls.posterior.softness_posterior(models(net), nn.functional.cross_entropy, *data(labels))


def test_labels_with_a_direction_want_the_free_kernel_and_others_the_strict_one():
    upright = torch.tensor([[[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]]])
    round_ = torch.tensor([[[1.0, 0, 1], [0, -4, 0], [1, 0, 1]]])
    free = posterior(upright, upright)
    assert free.best == 1 and float(free.probabilities[2]) > 0.99
    strict = posterior(round_, round_ + 0.8 * upright)
    assert strict.best == 0 and float(strict.probabilities[0]) > 0.99
    assert float(strict.losses[0]) == float(strict.losses.min())
    assert float(strict.probabilities.sum()) == pytest.approx(1)


def test_of_equal_dials_the_strictest_wins_and_the_interval_reaches_a_step_further():
    round_ = torch.tensor([[[1.0, 0, 1], [0, -4, 0], [1, 0, 1]]])
    found = posterior(round_, round_)
    degree = ls.degrees(found)[0]
    assert found.best == 0 and (degree.low, degree.high, degree.status) == (0, 0.5, "ok")
    inner = ls.posterior.softness_posterior(models(round_, (0.2, 0.6)), nn.functional.cross_entropy, *data(round_))
    assert ls.degrees(inner)[0].status == "bound only"


def test_what_is_no_choice_is_one_sentence():
    x, y = data(torch.ones(1, 3, 3))
    with pytest.raises(ValueError, match=r"^models: got 1, must be at least 2"):
        ls.posterior.softness_posterior(models(torch.ones(1, 3, 3), (0.0,)), nn.functional.cross_entropy, x, y)
    with pytest.raises(ValueError, match=r"^models: got Linear at 1, must be relax.Softened"):
        dials = {**models(torch.ones(1, 3, 3), (0.0,)), 1.0: nn.Linear(2, 2)}
        ls.posterior.softness_posterior(dials, nn.functional.cross_entropy, x, y)
