"""The evidence of a batch part by part: the graph of one part is in memory at a time.

    dE/dλ = Σ_parts [ Σ_m <dE/dm, dm_part/dλ> + dfit_part/dλ ]

The evidence is a function of means `m` over examples, which one pass without a graph finds; a second pass multiplies
its derivatives in them with theirs in the laws `λ` (Immer et al. 2022, arXiv 2202.10638, appendix). Both passes draw
the same elements for an example, whatever the parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from learnsym.distributions.noise import rows_of_batch
from learnsym.objectives.marginal_likelihood.curvature import Curvature, Form, added
from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole, chosen, device_of, examples


def parts_of(x: Whole, y: Tensor, rows: int, again: bool = False) -> Iterator[tuple[Whole, Tensor]]:
    """Parts of a batch of at most so many examples; random numbers are those that the whole batch would draw.

    Args:
        x, y: inputs and targets.
        rows: examples of a part.
        again: whether the same numbers will be drawn once more afterwards.
    """
    count, device = examples(x), device_of(x)
    for start in range(0, count, rows):
        some = slice(start, min(start + rows, count))
        with ExitStack() as stack:
            if again or some.stop < count:
                stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
            stack.enter_context(rows_of_batch(some, count))
            yield chosen(x, some), y[some]


def outputs_by_parts(model: nn.Module, x: Whole, y: Tensor, rows: int) -> Tensor:
    """The outputs of a network for a batch."""
    return torch.cat([model(part) for part, _ in parts_of(x, y, rows)])


def curvature_by_parts(
    form: Form, model: nn.Module, held: Mapping[str, nn.Parameter], x: Whole, y: Tensor, likelihood: Likelihood,
    rows: int, again: bool,
) -> tuple[Tensor, Curvature]:  # fmt: skip
    """Outputs and the curvature of a batch, without a graph, as `form.of` gives them."""
    outputs, means = [], {}
    for part, _ in parts_of(x, y, rows, again):
        f, curvature = form.of(model, held, part, likelihood, create_graph=False)
        outputs.append(f.detach())
        means = added(means, curvature.means, len(f) / examples(x))
    return torch.cat(outputs), curvature.with_means(means)


def slopes_by_parts(
    form: Form, model: nn.Module, held: Mapping[str, nn.Parameter], x: Whole, y: Tensor, likelihood: Likelihood,
    rows: int, of_means: Mapping[str, Tensor], laws: Sequence[nn.Parameter],
) -> list[Tensor]:  # fmt: skip
    """The gradient in `laws` of `Σ_m <of_means, m> - mean_n log p(y_n | x_n)`, of a batch."""
    slopes, count = [torch.zeros_like(law) for law in laws], examples(x)
    for part, targets in parts_of(x, y, rows):
        f, curvature = form.of(model, held, part, likelihood)
        # m_part -> <dE/dm, m_part>
        products = [(of_means[name] * mean).sum().double() for name, mean in curvature.means.items()]
        value = torch.stack(products).sum() * len(f) - likelihood.log_prob(f, targets).double().sum()
        found = torch.autograd.grad(value / count, laws, materialize_grads=True)
        slopes = [slope + each for slope, each in zip(slopes, found, strict=True)]
    return slopes
