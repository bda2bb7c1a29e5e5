"""A look at the evidence in parts of a batch is that of the whole batch: what is kept, and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.objectives import LaplaceEvidence, Supervised, cross_entropy, mse
from learnsym.objectives.choosers.marginal_likelihood import CURVATURES, MarginalLikelihood

EXAMPLES = 12


def looked(parts, loss, monkeypatch, learned=True):
    """What two looks keep, the gradients that they leave, and the random numbers that come after them."""
    torch.manual_seed(0)
    outputs = 3 if loss is cross_entropy else 1
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.Tanh(), nn.Linear(5, outputs))
    model = (ls.augment.Augmented(net, "rotation2d") if learned else net).double().train()
    x = torch.rand(EXAMPLES, 1, 6, 6, dtype=torch.float64)
    y = torch.arange(EXAMPLES) % 3 if outputs == 3 else torch.rand(EXAMPLES, 1, dtype=torch.float64)
    options = {"copies": 4} if learned else {}
    objective = LaplaceEvidence(Supervised(loss), EXAMPLES, batch=EXAMPLES, every=1, **options)
    monkeypatch.setattr(LaplaceEvidence, "_rows", lambda self, model, x, y: min(parts, len(y)))
    for _ in range(2):
        model.zero_grad()
        objective(model, (x, y)).total.backward()
    return objective.kept, {name: p.grad for name, p in model.named_parameters()}, torch.rand(3)


@pytest.mark.parametrize("loss", [cross_entropy, mse], ids=["classes", "numbers"])
@pytest.mark.parametrize("parts", [1, 5])
def test_parts_give_what_the_batch_gives(parts, loss, monkeypatch):
    part, whole = (looked(size, loss, monkeypatch) for size in (parts, EXAMPLES))
    for found, expected in zip(part, whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert any(name.startswith("distribution") and slope.abs() > 1e-6 for name, slope in part[1].items())


def test_parts_of_networks_without_laws(monkeypatch):
    part, whole = (looked(size, mse, monkeypatch, learned=False) for size in (5, EXAMPLES))
    for found, expected in zip(part, whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_parts_follow_from_the_memory():
    chosen = MarginalLikelihood(batch=64, memory=1e-4).over(Supervised(cross_entropy), None, 10, 64)
    assert isinstance(chosen, LaplaceEvidence)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    x, y = torch.rand(64, 1, 6, 6), torch.arange(64) % 3
    rows = chosen._rows(net, x, y)
    # of each example: input, what Flatten gives, and the outputs
    assert rows * 32 * 4 * (36 + 36 + 3) <= 1e-4 * 2**30 < 2 * rows * 32 * 4 * (36 + 36 + 3)
    assert LaplaceEvidence(Supervised(cross_entropy), 64)._rows(net, x, y) == 64


def test_too_little_for_one_example_is_one_sentence():
    objective = LaplaceEvidence(Supervised(cross_entropy), 8, batch=8, every=1, memory=1e-6)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    with pytest.raises(ValueError, match=r"^memory: got 2K, and one example takes 10K; give 10K or more$"):
        objective(net, (torch.rand(8, 1, 6, 6), torch.arange(8) % 3))


@pytest.mark.parametrize("curvature", sorted(CURVATURES.keys() - {"kronecker"}))
def test_other_curvatures_are_not_made_in_parts(curvature):
    with pytest.raises(ValueError, match=r"^memory: got 1\.0 with the curvature \w+, .* leave it out$"):
        MarginalLikelihood(curvature=curvature, memory=1.0).over(Supervised(cross_entropy), None, 10, 64)
