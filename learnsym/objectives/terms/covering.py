"""The terms that a model needs and an objective does not have yet, with their usual weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from learnsym.learners import needed_terms
from learnsym.objectives.terms._term import Term
from learnsym.objectives.terms.likelihoods import Alignment, DivergenceAlongDepth
from learnsym.objectives.terms.moves import Moves
from learnsym.objectives.terms.reward import Reward
from learnsym.objectives.terms.sharing import Sharing

usual: dict[str, Callable[[], Term]] = {
    "reward": Reward,
    "alignment": Alignment,
    "divergence": DivergenceAlongDepth,
    "sharing": Sharing,
    "moves": Moves,
}
"""A term of each kind that has usual weights; a prior has none, since it is per training example."""

PRIOR = "one, such as objectives.terms.Prior(examples=N) for N training examples, or take objectives.WithPrior"
REMEDIES = {"projection": "objectives.terms.ProjectionPenalty(broken=0.1)"}
"""What to add of a kind that is no prior."""


def covering(model: nn.Module, terms: Sequence[Term]) -> list[Term]:
    """The terms, and after them one with its usual weight for each kind that a learner in the model needs beside them.

    Raises:
        ValueError: for a kind that has no usual weight, with the learner's site and the remedy.

    Example:
        >>> model = ls.augment.Augmented(nn.Flatten(), ls.symmetry_by_name("rotation2d"))
        >>> [type(term).__name__ for term in ls.objectives.terms.covering(model, [])]
        ['Reward']
    """
    present = {kind for term in terms for kind in term.kinds}
    missing = {kind: site for kind, site in needed_terms(model).items() if kind not in present}
    for kind, site in missing.items():
        if kind not in usual:
            raise ValueError(
                f"terms: the learner at {site!r} is held by a {kind}, which the objective does not have; add "
                f"{REMEDIES.get(kind, PRIOR)}"
            )
    return [*terms, *(usual[kind]() for kind in missing)]
