"""The marginal likelihood as the chooser: how much symmetry makes the training examples most probable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from learnsym._batches import heard_bytes, rows_within
from learnsym._processes import processes
from learnsym._read_once import ReadOnce
from learnsym._settings import Copies, Count, Positive, Share
from learnsym.degrees import Degree
from learnsym.learners import over_elements
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.levels import frozen, predicting
from learnsym.objectives.choosers.step_count import count_steps
from learnsym.objectives.losses import cross_entropy, mse, shaped_as
from learnsym.objectives.marginal_likelihood.by_parts import curvature_by_parts, outputs_by_parts, slopes_by_parts
from learnsym.objectives.marginal_likelihood.curvature import Curvature, Form, squares, with_values_of
from learnsym.objectives.marginal_likelihood.diagonal import Diagonal
from learnsym.objectives.marginal_likelihood.full import Full
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker, KroneckerAndDiagonal
from learnsym.objectives.marginal_likelihood.last_layer import LastLayer
from learnsym.objectives.marginal_likelihood.likelihoods import Classes, Likelihood, NormalNoise
from learnsym.objectives.marginal_likelihood.paths import bandwidths, layer_degree, path_shares
from learnsym.objectives.marginal_likelihood.precisions import ByGradient, Kept, MacKay, Precisions
from learnsym.parts import Whole, chosen, device_of, examples

LIKELIHOODS: dict[Callable[..., Tensor], Callable[[float], Likelihood]] = {
    cross_entropy: lambda variance: Classes(),
    nn.functional.cross_entropy: lambda variance: Classes(),
    mse: NormalNoise,
    nn.functional.mse_loss: NormalNoise,
}
"""The likelihood that each loss belongs to, by a variance of noise."""
COPIES = 16
"""Transformed copies per example, unless something else is said: few of them make wide laws look improbable."""
GRAPHS = 32
"""Activations of an example that are alive at once, in a graph of the curvature with derivatives of each output."""
MOST = 2**20
"""Examples of a part, at most."""
MEMORY = 10
"""Looks over which the curvature and the noise are averaged."""
CURVATURES: dict[str, Form] = {
    "kronecker": Kronecker(),
    "kronecker_and_diagonal": KroneckerAndDiagonal(),
    "diagonal": Diagonal(),
    "full": Full(),
    "last_layer": LastLayer(),
}
"""Approximations of the curvature, by their names in configurations."""
PRECISIONS: dict[str, Callable[[float], Precisions]] = {"mackay": MacKay, "gradient": ByGradient, "kept": Kept}
"""Rules for prior precisions, by their names in configurations and the precision at the start."""


@dataclass(frozen=True, kw_only=True)
class MarginalLikelihood(Chooser):
    """The marginal likelihood of the training examples, by Laplace's approximation; no validation examples are needed.

    See `objectives.LaplaceEvidence`.
    """

    name: Literal["marginal_likelihood"] = "marginal_likelihood"
    """Chooser of the degree of symmetry."""
    batch: Count = 32
    """Training examples per look; all of a batch that has fewer."""
    copies: Copies | None = None
    """Transformed copies of each of them; None for 16. Only for learned augmentation."""
    every: Count = 10
    """Steps between looks."""
    warmup: Share = 0.1
    """Part of the steps before the first look."""
    precision: Positive = 1.0
    """Prior precision of all weights at the start."""
    precisions: Literal["mackay", "gradient", "kept"] = "mackay"
    """Prior precisions of each tensor of weights: MacKay's rule, gradient steps, or kept as at the start (MAP)."""
    curvature: Literal["kronecker", "kronecker_and_diagonal", "diagonal", "full", "last_layer"] = "kronecker"
    """Approximation of the curvature; with normalisations, of small networks, or, to compare with, the last layer's."""

    memory: Positive | None = None
    """Limit in GiB for a look, which is made in parts within it; None for none. It does not change the result. For the
    curvature kronecker."""

    label = "marginal likelihood"
    note = (
        "They follow the log evidence of the training examples, by Laplace's approximation; where it is flat they stay "
        "near their start, and are then no estimate of how far the examples are moved."
    )

    needs = "training examples alone"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The task, a prior on the weights, and the evidence for laws, which takes the place of other terms."""
        return LaplaceEvidence(
            getattr(objective, "task", objective),
            examples,
            batch=self.batch,
            copies=self.copies,
            every=self.every,
            start=round(self.warmup * steps),
            precisions=PRECISIONS[self.precisions](self.precision),
            curvature=CURVATURES[self.curvature],
            memory=self.memory,
        )


class LaplaceEvidence(nn.Module):
    """An objective under which laws and prior precisions follow the marginal likelihood.

        weights   follow  grad of  task(f, x, y) + 1/(2 N c) Σ_l δ_l |w_l|²
        laws      follow  grad of  -1/N log p(D)            at every look
        δ_l       becomes γ_l / |w_l|²                      at every look (MacKay), or follows the gradient

    where `c` turns the loss into a negative log likelihood. The evidence is Laplace's approximation, whose curvature
    `H` is a running mean over looks:

        log p(D) ≈ Σ_n log p(y_n | x_n) - 1/2 Σ_l δ_l |w_l|² - 1/2 log det(1 + H δ^-1)

    Laws are those of group elements, and bandwidths of sparsified layers that are learned. With learned augmentations
    the network is the average of outputs over `copies`. With paths side by side (`relax.GridPathway`) each tensor of
    each path has its own precision: the path that the examples do not need is switched off (ELLA). Batch norm is as in
    evaluation when it is looked at. Regression has noise of a variance that is fitted, since an evidence whose variance
    is set too high says nothing.

    References: Immer, van der Ouderaa, Fortuin, Rätsch, van der Wilk, "Invariance learning in deep neural networks with
    differentiable Laplace approximations" (2022), arXiv 2202.10638 (LILA); van der Ouderaa, Immer, van der Wilk,
    "Learning layer-wise equivariances automatically using gradients" (2023), arXiv 2310.06131 (ELLA).

    Args:
        task: `objectives.Supervised` with cross-entropy of classes, or the mean squared error.
        examples: `N` training examples.
        batch, copies: of a look.
        every: steps between looks.
        start: step of the first look.
        precisions: the rule for `δ`, and their start.
        curvature: how `H` is approximated.
        memory: limit in GiB for a look, which is made in parts within it; None for none.

    Raises:
        ValueError: for another task, or in several processes; in training, for copies of a model that has none, a layer
            without such a curvature, or a limit that one example exceeds.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        >>> model = ls.augment.Augmented(net, "rotation2d")
        >>> task = ls.objectives.Supervised(nn.functional.cross_entropy)
        >>> objective = ls.objectives.LaplaceEvidence(task, examples=8, every=1)
        >>> batch = torch.rand(8, 1, 8, 8), torch.arange(8) % 3
        >>> sorted(objective(model, batch).parts)
        ['log_evidence', 'prior', 'task']
    """

    seen: int

    def __init__(
        self,
        task: Objective,
        examples: int,
        *,
        batch: int = 32,
        copies: int | None = None,
        every: int = 10,
        start: int = 0,
        precisions: Precisions = MacKay(),  # noqa: B008  frozen
        curvature: Form = Kronecker(),  # noqa: B008  frozen
        memory: float | None = None,
    ) -> None:
        super().__init__()
        loss_fn: Any = getattr(task, "loss_fn", None)
        if loss_fn not in LIKELIHOODS:
            raise ValueError(
                f"loss: got {getattr(loss_fn, '__name__', type(task).__name__)}, which is no negative log likelihood "
                "that the chooser marginal_likelihood knows; take cross_entropy or mse"
            )
        if processes() > 1:
            raise ValueError("chooser.name: got marginal_likelihood in several processes, it works in one; use one")
        if memory is not None and not isinstance(curvature, Kronecker):
            raise ValueError(
                f"memory: got {memory} with the curvature {type(curvature).__name__}, which is not made in parts; take "
                "kronecker, or leave it out"
            )
        self.task = task
        self.examples, self.batch, self.copies = examples, batch, copies
        self.every, self.start = every, start
        self.rule, self.curvature, self.memory = precisions, curvature, memory
        self._likelihood = LIKELIHOODS[loss_fn]
        count_steps(self)
        self.kept: dict[str, Tensor] = {}
        self._read = ReadOnce()
        self._known: tuple[list[str], list[str]] = [], []

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The losses of both levels, whose gradients do not mix; in evaluation the task."""
        if not model.training:
            return self.task(model, batch)
        laws, weights = _laws_and_weights(model)
        held = self._held(model, weights)
        pull = self._look(model, held, laws, batch) if self._looks() else 0.0
        self.seen += 1
        with frozen(laws):
            task = self.task(model, batch)
        prior = self._prior(held, batch[1])
        parts = {**task.parts, "prior": prior.detach()}
        if "log_evidence" in self.kept:
            parts["log_evidence"] = self.kept["log_evidence"]
        return Loss(task.total + prior + pull, parts)

    def precisions(self) -> dict[str, float]:
        """Prior precision `δ_l` of each tensor of weights that was looked at, by name."""
        return self._by_name("precision")

    def effective_dimensions(self) -> dict[str, float]:
        """How many entries `γ_l` of each tensor of weights the data determine, by name."""
        return self._by_name("dimensions")

    def path_dimensions(self) -> dict[str, dict[str, float]]:
        """The share of entries that the data determine, for each path of each `relax.GridPathway`, by its place."""
        found: dict[str, dict[str, float]] = {}
        for name, share in self._by_name("path").items():
            layer, _, path = name.rpartition(".")
            found.setdefault(layer, {})[path] = share
        return found

    def degrees(self, site: str) -> list[Degree]:
        """Of each layer with two paths, how far it is the exact one: `γ_conv / (γ_free + γ_conv)`, per entry."""
        return [layer_degree(layer, shares["free"], shares["conv"]) for layer, shares in self.path_dimensions().items()]

    def _by_name(self, kind: str) -> dict[str, float]:
        start = f"{kind}."
        return {name.removeprefix(start): float(v) for name, v in self.kept.items() if name.startswith(start)}

    def _looks(self) -> bool:
        step = self.seen - self.start
        return step >= 0 and step % self.every == 0

    def _prior(self, weights: Mapping[str, nn.Parameter], y: Tensor) -> Tensor:
        """`1/(2 N c) Σ_l δ_l |w_l|²`."""
        held = [self._precision(name, weight) * weight.square().sum() for name, weight in weights.items()]
        return torch.stack(held).sum() / (2 * self.examples * self._noise().per_loss(y[0].numel()))

    def _precision(self, name: str, weight: Tensor) -> Tensor:
        """On the device of the weight, and not read there: that would make a GPU wait in every step."""
        return self.kept.get(f"precision.{name}", weight.new_full((), self.rule.start)).to(weight)

    def _noise(self) -> Likelihood:
        variance = self.kept.get("variance")
        return self._likelihood(1.0 if variance is None else self._read(variance))

    def _held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """The weights with a prior, looked for again when others are trained than before."""
        trained, held = self._known
        if trained != list(weights):
            held = list(self.curvature.held(model, weights))
            self._known = list(weights), held
        return {name: weights[name] for name in held}

    def _look(
        self, model: nn.Module, held: Mapping[str, nn.Parameter], laws: list[nn.Parameter], batch: Batch
    ) -> Tensor | float:
        """A term of value 0 whose gradient in the laws is that of the negative log evidence per example."""
        if batch[1].dim() > 1 and not batch[1].is_floating_point():
            raise ValueError(
                f"targets: got labels of shape {tuple(batch[1].shape)}, must be one class or some numbers an example "
                "for the chooser marginal_likelihood; take the chooser validation for label maps"
            )
        indices = torch.randperm(examples(batch[0]), device=batch[1].device)[: self.batch]
        x, y = chosen(batch[0], indices), batch[1][indices]
        with predicting(model, self.copies, COPIES):
            rows = self._rows(model, x, y)
            self._fit_noise(model, x, y, rows)
            if rows < len(y):
                return _pull(laws, self._slopes_by_parts(model, held, laws, x, y, rows))
            f, now = self.curvature.of(model, held, x, self._noise(), create_graph=bool(laws))
        evidence = self._evidence(model, held, f, y, now, with_values_of(now.means, self._averaged(now.means)))
        return _pull(laws, torch.autograd.grad(-evidence, laws, materialize_grads=True) if laws else [])

    def _slopes_by_parts(
        self, model: nn.Module, held: Mapping[str, nn.Parameter], laws: list[nn.Parameter], x: Whole, y: Tensor,
        rows: int,
    ) -> Sequence[Tensor]:  # fmt: skip
        """The gradient of the negative log evidence per example in the laws, with the graph of `rows` examples."""
        noise = self._noise()
        f, now = curvature_by_parts(self.curvature, model, held, x, y, noise, rows, again=bool(laws))
        means = {name: mean.clone().requires_grad_() for name, mean in self._averaged(now.means).items()}
        evidence = self._evidence(model, held, f, y, now, means)
        if not laws:
            return []
        of_means = torch.autograd.grad(-evidence, list(means.values()), materialize_grads=True)
        by_name = dict(zip(means, of_means, strict=True))
        return slopes_by_parts(self.curvature, model, held, x, y, noise, rows, by_name, laws)

    def _evidence(
        self, model: nn.Module, held: Mapping[str, nn.Parameter], f: Tensor, y: Tensor, now: Curvature,
        means: dict[str, Tensor],
    ) -> Tensor:  # fmt: skip
        """The log evidence per example, which is kept with all that follows from it."""
        precisions = {name: self._precision(name, weight) for name, weight in held.items()}
        cost = now.with_means(means).occam(precisions, self.examples)
        fit = self.examples * self._noise().log_prob(f, y).double().mean()
        detached = {name: weight.detach() for name, weight in held.items()}
        evidence = (fit - (squares(detached, precisions) + cost.log_determinant) / 2) / self.examples
        self.kept["log_evidence"] = evidence.detach()
        kept = {name: mean.detach() for name, mean in means.items()}
        self._update(model, detached, precisions, now.with_means(kept), cost.dimensions)
        return evidence

    def _rows(self, model: nn.Module, x: Whole, y: Tensor) -> int:
        """How many examples are looked at together."""
        if self.memory is None:
            return len(y)
        device = device_of(x)
        with torch.no_grad(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            one = heard_bytes(model, chosen(x, slice(0, 1)))
        return min(len(y), rows_within(GRAPHS * one, self.memory, MOST))

    def _averaged(self, now: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Means over looks, since a batch has fewer examples than a layer has weights."""
        for name, mean in now.items():
            self._keep(f"curvature.{name}", mean.detach())
        return {name: self.kept[f"curvature.{name}"] for name in now}

    @torch.no_grad()
    def _fit_noise(self, model: nn.Module, x: Whole, y: Tensor, rows: int) -> None:
        """`σ² = Σ residuals² / (N D - γ)`: a variance that is set by hand would decide what the evidence says."""
        if not y.is_floating_point():
            return
        numbers = self.examples * y[0].numel()
        left = max(numbers - sum(self.effective_dimensions().values()), 0.1 * numbers)
        outputs = outputs_by_parts(model, x, y, rows)
        self._keep("variance", (shaped_as(outputs, y) - y).square().mean() * numbers / left)

    def _update(
        self,
        model: nn.Module,
        weights: Mapping[str, Tensor],
        precisions: Mapping[str, Tensor],
        curvature: Curvature,
        dimensions: Mapping[str, Tensor],
    ) -> None:
        """Precisions by the rule, and what is said of layers."""
        each = {name: weight.double().square().sum() for name, weight in weights.items()}
        after = self.rule(precisions, each, curvature, self.examples)
        self.kept |= {f"precision.{name}": value for name, value in after.items()}
        self.kept |= {f"dimensions.{name}": value for name, value in dimensions.items()}
        shares = path_shares(model, dimensions)
        self.kept |= {f"path.{layer}.{path}": share for layer, both in shares.items() for path, share in both.items()}

    def _keep(self, name: str, now: Tensor) -> None:
        """A running mean."""
        before = self.kept.get(name)
        self.kept[name] = now if before is None else before.to(now) + (now - before.to(now)) / MEMORY

    def get_extra_state(self) -> dict[str, Tensor]:
        """What looks have found, by name."""
        return dict(self.kept)

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """That of `get_extra_state`."""
        self.kept = {name: value.clone() for name, value in state.items()}


def _pull(laws: Sequence[nn.Parameter], slopes: Sequence[Tensor]) -> Tensor | float:
    """A term of value 0 with these gradients."""
    if not laws:
        return 0.0
    return torch.stack(
        [((law - law.detach()) * slope.detach()).sum() for law, slope in zip(laws, slopes, strict=True)]
    ).sum()


def _laws_and_weights(model: nn.Module) -> tuple[list[nn.Parameter], dict[str, nn.Parameter]]:
    """What the evidence sets, and the weights whose evidence it is."""
    own = over_elements(model) | bandwidths(model)
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [p for _, p in trained if id(p) in own], {name: p for name, p in trained if id(p) not in own}
