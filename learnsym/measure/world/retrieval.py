"""Whether predicted latent states are nearest to those of what happened: hits and reciprocal ranks.

Legend of axes: `B` examples, `Z` numbers of a latent state, `M` candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from learnsym.objectives.contrastive import latents
from learnsym.statistics import LEVEL, Estimate, Interval, student_interval

CELLS = 4_000_000
"""Numbers of differences that are held at once."""
HITS = (1, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How the true next states rank among all candidates, and whether latents differ at all.

    Standard errors are over examples, of whose candidates nothing is resampled.
    """

    hits: dict[int, Estimate]
    """Share of examples whose true state is among the nearest 1, 5 and 10."""
    mrr: Estimate
    """Mean of the reciprocal rank."""
    variance: float
    """Of encoded latents, summed over their numbers: 0 for an encoder that tells no states apart."""
    chance: float
    """Hits@1 of a random order: one over the number of candidates."""

    def interval(self, name: int | str, level: float = LEVEL) -> Interval:
        """The interval of hits@`name`, or of `mrr`, over examples."""
        estimate = self.mrr if name == "mrr" else self.hits[int(name)]
        return student_interval(estimate, level).clipped(0.0, 1.0)

    def __str__(self) -> str:
        hits = ", ".join(f"hits@{k} {self.interval(k)}" for k in self.hits)
        return f"{hits}, MRR {self.interval('mrr')}, latent variance {self.variance:.3g}"


def retrieval(
    predicted: Float[Tensor, "B Z"],
    encoded: Float[Tensor, "*encoded"],
    states: Shaped[Tensor, "*states"] | None = None,
    negatives: Float[Tensor, "*negatives"] | None = None,
) -> Retrieval:
    """Hits@k and mean reciprocal rank, with ties against the model.

        rank_b = 1 + #{j : |p_b - z_j| <= |p_b - z_b|, j ≠ b and state_j ≠ state_b}

    A collapsed encoder, which gives all states one latent, has the last rank everywhere; where ties count for the model
    it would have 100 % of hits.

    Args:
        predicted: latents that the model predicts, `(B, Z)`.
        encoded: latents of what happened, `(B, Z)`.
        states: true states, `(B, ...)`; candidates of an equal state are the same picture, and no wrong answer.
        negatives: candidates of each example, `(B, M, Z)`, for hard hits; the encoded latents of all others when None.

    Raises:
        ValueError: for fewer than two examples, latents that are not finite, or shapes that differ.

    Reference: Kipf, van der Pol, Welling (2020), arXiv 1911.12247, for the metrics, and Park et al. (2022), arXiv
    2204.11371; in released code ties count as hits.

    Example:
        >>> z = torch.randn(20, 4)
        >>> right, collapsed = ls.measure.retrieval(z, z), ls.measure.retrieval(0 * z, 0 * z)
        >>> right.hits[1].mean, collapsed.hits[10].mean, collapsed.variance
        (1.0, 0.0, 0.0)
    """
    found = ranks(predicted, encoded, states, negatives)
    candidates = len(encoded) if negatives is None else 1 + negatives.shape[1]
    return Retrieval(
        hits={k: Estimate.of((found <= k).double()) for k in HITS},
        mrr=Estimate.of(1 / found.double()),
        variance=float(encoded.double().var(0).sum()),
        chance=1 / candidates,
    )


def retrieved(outputs: Float[Tensor, "B O"], states: Shaped[Tensor, "B *state"]) -> dict[str, Float[Tensor, "B"]]:
    """Whether each true state is the nearest, and its reciprocal rank, of outputs of a world model; see `retrieval`."""
    found = ranks(*latents(outputs), states)
    return {"hits_at_1": (found == 1).double(), "mrr": 1 / found.double()}


def ranks(
    predicted: Float[Tensor, "B Z"],
    encoded: Float[Tensor, "*encoded"],
    states: Shaped[Tensor, "*states"] | None = None,
    negatives: Float[Tensor, "*negatives"] | None = None,
) -> Int[Tensor, "B"]:
    """The rank of the true state of each example, 1 for the nearest; see `retrieval`."""
    _check(predicted, encoded, states, negatives)
    own = (predicted - encoded).double().square().sum(1)
    rows = max(1, CELLS // max(1, encoded.numel() if negatives is None else negatives[0].numel()))
    nearer = [_nearer(part, predicted, encoded, own, states, negatives) for part in _parts(len(predicted), rows)]
    return 1 + torch.cat(nearer)


def _nearer(
    rows: Tensor, predicted: Tensor, encoded: Tensor, own: Tensor, states: Tensor | None, negatives: Tensor | None
) -> Int[Tensor, "R"]:
    """How many wrong candidates are no farther than the true one, of some examples."""
    candidates = encoded[None] if negatives is None else negatives[rows]
    # differences first: a product of matrices would break the ties of a collapsed encoder by rounding
    apart = (predicted[rows, None] - candidates).double().square().sum(2)
    wrong = apart <= own[rows, None]
    if negatives is None:
        wrong &= rows[:, None] != torch.arange(len(encoded), device=rows.device)
        if states is not None:
            flat = states.reshape(len(states), -1)
            wrong &= (flat[rows, None] != flat[None]).any(2)
    return wrong.sum(1)


def _parts(count: int, rows: int) -> tuple[Tensor, ...]:
    return torch.arange(count).split(rows)


def _check(predicted: Tensor, encoded: Tensor, states: Tensor | None, negatives: Tensor | None) -> None:
    if predicted.shape != encoded.shape or predicted.dim() != 2:
        raise ValueError(
            f"encoded: got shape {tuple(encoded.shape)} for predictions {tuple(predicted.shape)}, both must be (B, Z)"
        )
    if len(predicted) < 2:
        raise ValueError("predicted: got one example, which has no wrong candidates; give at least 2")
    if not (predicted.isfinite().all() and encoded.isfinite().all()):
        raise ValueError("predicted, encoded: contain NaN or infinity, which have no rank; look at the training")
    if states is not None and len(states) != len(predicted):
        raise ValueError(f"states: got {len(states)} for {len(predicted)} examples; give one an example")
    if negatives is not None and (len(negatives), negatives.shape[-1]) != predicted.shape:
        raise ValueError(f"negatives: got shape {tuple(negatives.shape)}, must be (B, M, Z) for {tuple(encoded.shape)}")
    if negatives is not None and states is not None:
        raise ValueError("states: given beside negatives, which have none here; leave them out")
