"""How far two samples of group elements are apart, and into which modes a sample falls.

Legend of axes: `S`, `T` elements of a sample, `n` size of the matrices.
"""

from __future__ import annotations

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor


def sample_distance(a: Float[Tensor, "S n n"], b: Float[Tensor, "T n n"]) -> float:
    """The 1-Wasserstein distance of two samples of equal size, Frobenius norm between matrices, by exact assignment.

    Raises:
        ValueError: for samples of different or no size.

    Example:
        >>> turns = ls.groups.Cyclic(4).components
        >>> ls.measure.sample_distance(turns, turns.flip(0))
        0.0
    """
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"b: got {len(b)} elements for {len(a)}, must be as many, and at least one")
    cost = torch.cdist(a.double().flatten(1), b.double().flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
    rows, columns = scipy.optimize.linear_sum_assignment(cost.numpy())
    return float(cost[rows, columns].mean())


def sample_modes(
    elements: Float[Tensor, "S n n"], within: float, least: float = 0.02
) -> list[tuple[Float[Tensor, "n n"], float]]:
    """Mean matrix and share of each mode, the largest first: elements that a chain of steps below `within` joins.

    A law without gaps is one mode, however wide, if there are enough elements to fill it. Modes of a share below
    `least` are strays on their way between others, and are left out.
    """
    flat = elements.double().flatten(1).numpy()
    labels = scipy.cluster.hierarchy.fcluster(scipy.cluster.hierarchy.linkage(flat, "single"), within, "distance")
    shares = {label: float((labels == label).mean()) for label in np.unique(labels)}
    kept = sorted((label for label, share in shares.items() if share >= least), key=lambda label: -shares[label])
    return [(elements[torch.from_numpy(labels == label)].mean(0), shares[label]) for label in kept]
