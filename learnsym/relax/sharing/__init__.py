"""Which weights of a layer are one and the same, learned."""

from learnsym.relax.sharing.assignment import Assignment, FixedAssignment, soft_means
from learnsym.relax.sharing.closed_form import LearnedSharing, LinearProblem, learn_sharing, shared_fit
from learnsym.relax.sharing.moved_conv import LearnedGroupConv2d
from learnsym.relax.sharing.moves import LearnedMoves, convex_coefficients, group_moves, kinds, sinkhorn
from learnsym.relax.sharing.penalties import column_norms, norms, nuclear_norm, row_entropy, sharing_penalty
from learnsym.relax.sharing.shared_linear import SharedLinear, SharedWeight

__all__ = [
    "Assignment",
    "FixedAssignment",
    "LearnedGroupConv2d",
    "LearnedMoves",
    "LearnedSharing",
    "LinearProblem",
    "SharedLinear",
    "SharedWeight",
    "column_norms",
    "convex_coefficients",
    "group_moves",
    "kinds",
    "learn_sharing",
    "norms",
    "nuclear_norm",
    "row_entropy",
    "shared_fit",
    "sharing_penalty",
    "sinkhorn",
    "soft_means",
]
