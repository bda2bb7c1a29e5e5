"""Similarity of features modulo a group: how alike two views are when the pose of each is absorbed.

Legend of axes: `B`, `D` examples of two views, `f` regular fields, `K` elements of the group.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.groups import Group, cayley_table


def pose_scores(group: Group, z: Float[Tensor, "B c"], w: Float[Tensor, "D c"]) -> Float[Tensor, "B D K"]:
    """`<z_b, ρ(g) w_d>` for all pairs and all elements: the correlation of regular fields over the group.

    Args:
        group: finite, with a list of its elements.
        z: features of regular fields, field by field.
        w: others of the same fields.

    Raises:
        ValueError: when the features are no whole number of regular fields.
    """
    order = len(group.components)
    if z.shape[1] % order or z.shape[1] != w.shape[1]:
        raise ValueError(
            f"z, w: got {z.shape[1]} and {w.shape[1]} features, must be the same whole number of regular fields of "
            f"{group}, each of {order}"
        )
    # (ρ(g) w)_h = w_{g^-1 h}
    sources = _sources(group).to(w.device, non_blocking=True)
    moved = w.unflatten(1, (-1, order))[:, :, sources].transpose(1, 2).flatten(2)
    return (z @ moved.flatten(0, 1).mT).unflatten(1, (len(w), order))


@lru_cache
def _sources(group: Group) -> Int[Tensor, "K K"]:
    """`sources[g, h]` is the number of `g^-1 h`."""
    return cayley_table(group).argsort(1)


def at_identity(scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
    """`s = <z, w>`: ordinary similarity, which asks for equal poses."""
    return scores[..., 0]


def mean(scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
    """`s_inv = mean_g <z, ρ(g) w> = <P z, P w>`: that of the means over the group, which know no pose at all."""
    return scores.mean(-1)


def largest(scores: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
    """`s_max = max_g <z, ρ(g) w>`: that of the best relative pose."""
    return scores.amax(-1)


def log_mean_exp(
    scores: Float[Tensor, "*B K"], temperature: float, log_law: Float[Tensor, "K"] | None = None
) -> Float[Tensor, "*B"]:
    """`s_λ = τ log Σ_g λ(g) exp(<z, ρ(g) w> / τ)`: the relative pose marginalised under a law `λ`.

    `s_lse` for the uniform law; `largest` for `τ -> 0`, the mean under `λ` for `τ -> ∞`, `at_identity` for a law that
    is all at the identity.

    Args:
        scores: of each element.
        temperature: `τ`, above 0.
        log_law: `log λ`; uniform when None.

    Raises:
        ValueError: for a temperature that is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature: got {temperature}, must be above 0; take largest for the limit")
    uniform = -math.log(scores.shape[-1])
    return temperature * torch.logsumexp(scores / temperature + (uniform if log_law is None else log_law), -1)


SIMILARITIES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "plain": lambda scores, temperature: at_identity(scores),
    "mean": lambda scores, temperature: mean(scores),
    "max": lambda scores, temperature: largest(scores),
    "lse": log_mean_exp,
}
"""By name, from the scores of all poses and a temperature."""
