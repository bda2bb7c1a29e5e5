"""A gradient step of the evidence against the published procedure of LILA: 1,000 digits with 31 turned copies each.

The slow twin is our own code of that procedure (Immer et al. 2022, arXiv 2202.10638): a pass over all copies fits the
Kronecker factors, 125 examples at a time; a second pass, 50 at a time, takes the product of the derivative of the log
determinant in the factors with their derivative in the law, and the gradient of the likelihood. The library takes all
examples in one pass, or, as its chooser does, 32 of them with 16 copies into running means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import learnsym as ls
from benchmarks.timing import interleaved, ratio
from learnsym.data import DataConfig, PlantConfig, load_splits
from learnsym.learners import symmetry_parameters
from learnsym.objectives import LaplaceEvidence, Supervised, cross_entropy
from learnsym.objectives.choosers.levels import predicting
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker
from learnsym.objectives.marginal_likelihood.likelihoods import Classes
from learnsym.objectives.marginal_likelihood.precisions import Kept
from learnsym.objectives.marginal_likelihood.whole import whole_evidence
from learnsym.parts import split

EXAMPLES, COPIES, FITTED, MULTIPLIED = 1000, 31, 125, 50
LOOKS, TARGET = 100, 1 / 10


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Times of one gradient in the law, and by how much the log evidence of each way differs from the twin's."""
    case = _trained(device)
    ways = {"one look": case.look, "one pass": case.one_pass, "two passes": case.two_passes}
    times = interleaved(ways, repeats=min(repeats, 3), warmup=1, device=device)
    value = float(case.two_passes()[0])
    looks = sum(float(case.look()[0]) for _ in range(LOOKS)) / LOOKS
    values = {"one look": looks, "one pass": float(case.one_pass()[0])}
    for name, target in (("one look", TARGET), ("one pass", None)):
        yield {
            "name": f"evidence gradient, {name} / LILA's procedure",
            "ratio": ratio(times, name, "two passes"),
            "target": target,
            "times": {each: times[each] for each in (name, "two passes")},
            "difference of the log evidence": abs(values[name] / value - 1),
        }


@dataclass(frozen=True)
class Case:
    """A trained network with a law, and its examples; precisions are all 1."""

    model: nn.Module
    x: Tensor
    y: Tensor
    chooser: LaplaceEvidence

    @property
    def precisions(self) -> dict[str, Tensor]:
        """Of each tensor of weights."""
        own = {id(p) for p in symmetry_parameters(self.model)}
        return {n: torch.ones((), device=p.device) for n, p in self.model.named_parameters() if id(p) not in own}

    def look(self) -> tuple[Tensor, Tensor]:
        """Log evidence per example, and its gradient in the law that the chooser follows, with a step's own loss."""
        (law,) = symmetry_parameters(self.model)
        self.model.train().zero_grad()
        index = torch.randperm(EXAMPLES, device=self.y.device)[: self.chooser.batch]
        self.chooser(self.model, (self.x[index], self.y[index])).total.backward()
        assert law.grad is not None
        return self.chooser.kept["log_evidence"], -law.grad

    def one_pass(self) -> tuple[Tensor, Tensor]:
        """The same of all copies in one graph."""
        with predicting(self.model, COPIES, COPIES):
            batch = {"batch": EXAMPLES, "create_graph": True}
            found = whole_evidence(self.model, self.precisions, self.x, self.y, Classes(), **batch)
        (slope,) = torch.autograd.grad(found.total, symmetry_parameters(self.model))
        return found.total.detach() / EXAMPLES, slope / EXAMPLES

    def two_passes(self) -> tuple[Tensor, Tensor]:
        """The same by factors of all copies first, then the product of derivatives."""
        form, (law,) = Kronecker(), symmetry_parameters(self.model)
        held = form.held(self.model, {n: p for n, p in self.model.named_parameters() if n in self.precisions})
        with predicting(self.model, COPIES, COPIES):
            fitted = [form.of(self.model, held, x, Classes(), create_graph=False)[1] for x in split(self.x, FITTED)]
            means = {n: torch.stack([each.means[n] for each in fitted]).mean(0) for n in fitted[0].means}
            means = {n: mean.requires_grad_() for n, mean in means.items()}
            determinant = fitted[0].with_means(means).occam(self.precisions, EXAMPLES).log_determinant
            # d log det / d A, d log det / d G
            slopes = dict(zip(means, torch.autograd.grad(determinant, list(means.values())), strict=True))
            fit, slope = torch.zeros((), dtype=torch.double, device=self.y.device), torch.zeros_like(law)
            for x, y in zip(split(self.x, MULTIPLIED), self.y.split(MULTIPLIED), strict=True):
                f, part = form.of(self.model, held, x, Classes())
                likelihood = Classes().log_prob(f, y).double().sum()
                moved = torch.stack([(slopes[n] * mean).sum() for n, mean in part.means.items()]).sum()
                slope += torch.autograd.grad(likelihood - moved * (len(y) / EXAMPLES) / 2, law)[0]
                fit += likelihood.detach()
        squares = torch.stack([p.detach().square().sum() for p in held.values()]).sum()
        return (fit - (squares + determinant.detach()) / 2) / EXAMPLES, slope / EXAMPLES


def _trained(device: str) -> Case:
    """Digits turned by up to 90 degrees, 14 pixels, and a network that has seen them some hundred times."""
    config = DataConfig(name="mnist", size=14, train=EXAMPLES, val=100, test=100, plant=PlantConfig(rotation=90.0))
    data = load_splits(config).train
    torch.manual_seed(0)
    model = ls.augment.Augmented(ls.nets.MLP(196, 10, width=100, depth=1), "rotation2d").to(device)
    x, y = data.x.to(device), data.y.to(device)
    task = Supervised(cross_entropy)
    batches = [(x[i : i + 50], y[i : i + 50]) for i in range(0, EXAMPLES, 50)]
    ls.training.fit(model, task, batches, steps=300)
    return Case(model, x, y, LaplaceEvidence(task, EXAMPLES, every=1, precisions=Kept()))
