"""The published procedure and the library's: the same evidence, and the same gradient in the law."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import learnsym as ls
from benchmarks import lila
from learnsym.objectives import LaplaceEvidence, Supervised, cross_entropy
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker


def test_one_pass_and_two_have_the_same_value_and_gradient_for_the_same_copies(monkeypatch):
    for name, value in {"EXAMPLES": 8, "FITTED": 8, "MULTIPLIED": 8, "COPIES": 3}.items():
        monkeypatch.setattr(lila, name, value)
    of = Kronecker.of

    def same_copies(*arguments, **options):
        torch.manual_seed(1)
        return of(*arguments, **options)

    monkeypatch.setattr(Kronecker, "of", same_copies)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.Tanh(), nn.Linear(5, 3))
    model = ls.augment.Augmented(net, "rotation2d").double()
    x, y = torch.rand(8, 1, 6, 6, dtype=torch.float64), torch.arange(8) % 3
    case = lila.Case(model, x, y, LaplaceEvidence(Supervised(cross_entropy), 8, every=1, copies=3))
    value, slope = case.one_pass()
    other, published = case.two_passes()
    assert float(value) == pytest.approx(float(other), rel=1e-12)
    assert float(slope.abs().sum()) > 1e-4
    torch.testing.assert_close(slope, published)
