"""Contrast of two views of each picture among those of the other pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.groups import Group
from learnsym.learners import degrees
from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.self_supervision.prediction import encoded
from learnsym.objectives.self_supervision.similarity import SIMILARITIES, pose_scores


class InvariantContrast(nn.Module):
    """InfoNCE with a similarity that absorbs the pose of each view; the targets of a batch are not looked at.

        L = (CE(S / T, id) + CE(Sᵀ / T, id)) / 2,    S_bd = s(z_b, w_d),    z = p(z(v)) / |p(z(v))|

    `s` is taken of the scores `<z, ρ(g) w>` of all elements: their maximum, log-mean-exp or mean, which do not change
    when the two views are moved by different elements, that at the identity (ordinary contrast), or the log-mean-exp
    under a learned law. The projection `p` is equivariant, and stays behind in the objective.

    Reference: InfoNCE: van den Oord, Li, Vinyals (2018), arXiv 1807.03748; invariance: after Mukuta, Harada (2023),
    arXiv 2303.04427, whose formula was not known to us; the law of poses is our own.

    Args:
        group: of the features that the projection gives.
        projection: from the features to regular fields of the group; see `equivariant_perceptron`.
        views: gives one random view of each picture, such as `RandomViews`.
        similarity: `plain`, `mean`, `max`, `lse`, or a module from scores `(B, B, K)` to similarities, such as
            `LearnedPoses`.
        temperature: `T` of the softmax over pictures, above 0.
        pose_temperature: `τ` of `lse`, above 0.

    Raises:
        ValueError: for a similarity of another name, or a temperature that is not above 0.
    """

    answers_for = ("similarity",)

    def __init__(
        self,
        group: Group,
        projection: nn.Module,
        views: Callable[[Tensor], Tensor],
        similarity: str | nn.Module = "lse",
        temperature: float = 0.2,
        pose_temperature: float = 0.1,
    ) -> None:
        super().__init__()
        if isinstance(similarity, str) and similarity not in SIMILARITIES:
            raise ValueError(f"similarity: got {similarity!r}, must be one of {', '.join(SIMILARITIES)}, or a module")
        for name, value in (("temperature", temperature), ("pose_temperature", pose_temperature)):
            if not value > 0:
                raise ValueError(f"{name}: got {value}, must be above 0; 0.1 is usual")
        self.group, self.projection, self.views = group, projection, views
        self.similarity = similarity
        self.temperature, self.pose_temperature = temperature, pose_temperature

    def forward(self, model: nn.Module, batch: Batch) -> Loss:
        x, _ = batch
        z, w = (self.projected(model, self.views(x)) for _ in range(2))
        similarities = self.similarities(z, w)
        loss = info_nce(similarities / self.temperature)
        nearest = similarities.argmax(1) == torch.arange(len(x), device=x.device)
        parts = {"pretext": loss.detach(), "right": nearest.to(z).mean()}
        return Loss(loss, parts)

    def projected(self, model: nn.Module, views: Tensor) -> Float[Tensor, "B c"]:
        """The unit vectors of views."""
        return F.normalize(self.projection(encoded(model, views)), dim=1)

    def similarities(self, z: Float[Tensor, "B c"], w: Float[Tensor, "D c"]) -> Float[Tensor, "B D"]:
        """`s(z_b, w_d)` for all pairs."""
        scores = pose_scores(self.group, z, w)
        if isinstance(self.similarity, str):
            return SIMILARITIES[self.similarity](scores, self.pose_temperature)
        return self.similarity(scores)

    def degrees(self, site: str) -> list[Degree]:
        """Those of the similarity, where it learns."""
        return degrees(self.similarity, site) if isinstance(self.similarity, nn.Module) else []


def info_nce(logits: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """The cross-entropy of finding the other view of each picture, in both directions."""
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.mT, target)) / 2
