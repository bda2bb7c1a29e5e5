"""Lists of elements and components: their matrices, names and degrees."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import ONE_TRAINING, Degree, Notion
from learnsym.groups import Group


def listed_elements(group: Group) -> Float[Tensor, "K n n"]:
    """The elements of a finite group, or ValueError."""
    if group.order is None:
        raise ValueError(f"group: {group.name} is not finite; use LieBox, or ComponentMixture for several components")
    if group.order != len(group.components):
        raise ValueError(f"group: {group.name} has {group.order} elements, too many to list; use Fixed(Haar(group))")
    return group.components


def names(group: Group) -> list[str]:
    """A name for each listed element or component: what it does where that is one word, its index elsewhere."""
    return [_name(group, k, matrix) for k, matrix in enumerate(group.components)]


def _name(group: Group, k: int, matrix: Tensor) -> str:
    if k == 0:
        return "identity"
    if group.space != "plane" or matrix.shape[-1] not in (2, 3):
        return f"{'component' if group.dim else 'element'} {k}"
    angle = math.degrees(math.atan2(float(matrix[1, 0]), float(matrix[0, 0])))
    if float(torch.linalg.det(matrix[:2, :2])) > 0:
        return f"rotation by {angle % 360:.4g}"
    return f"reflection at {angle / 2 % 180:.4g}"


def probability_degrees(
    group: Group, p: Float[Tensor, "*B K"], site: str, method: str, notion: Notion = "task"
) -> list[Degree]:
    """The probability of each element or component but the identity; the mean over the batch."""
    means = p.detach().double().reshape(-1, p.shape[-1]).mean(0).tolist()
    return [
        Degree(
            site=site,
            group=group.name,
            generator=name,
            unit="probability",
            notion=notion,
            estimate=mean,
            method=method,
            status="no interval",
            reason=ONE_TRAINING,
        )
        for name, mean in list(zip(names(group), means, strict=True))[1:]
    ]
