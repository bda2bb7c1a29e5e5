"""The equivariance defect of the features of a layer, as a penalty.

Legend of axes: `B` examples, `S` group samples.
"""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.distributions import GroupDistribution
from learnsym.objectives._objective import Loss
from learnsym.objectives.candidate import Candidate
from learnsym.objectives.losses import mse
from learnsym.objectives.terms import Term
from learnsym.objectives.terms._term import checked_weight
from learnsym.symmetry import SymmetryLike


@final
class LatentDefect(Term):
    """How far the features `h` of a named layer are from equivariance: `weight · mean |h(g x) - g h(x)|²`.

    The action on features is that of the outputs of `symmetry`: `Invariant` asks for invariant features, `Image` for
    feature maps that turn with the image, `FeatureField` for fields. Nothing is asked of the layers behind. The size of
    features is that of the layer, so that features that shrink lower the penalty, too: put it behind a normalisation.
    It costs a forward pass of the examples and of their moves.

    Reference: the functional penalty of Elhag, Rusch, Di Giovanni, Bronstein (2024), arXiv 2410.17878, at a layer
    instead of the output; our own.

    Args:
        symmetry: the group with its action on inputs, one tensor, and on the features; or its name.
        layer: path of the layer in the model.
        weight: not negative.
        samples: group elements per example.
        distribution: of the elements; the Haar measure of a compact group when None.

    Raises:
        ValueError: for a weight or number of samples out of range, or a group without a law; when called, for a path
            that the model has not, or a layer that is not called once or gives no tensor.

    Example:
        >>> net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
        >>> term = ls.objectives.LatentDefect("rotation2d", layer="1")
        >>> sorted(term(net, torch.rand(4, 1, 8, 8)).parts)
        ['latent/1']
    """

    kinds = ()

    def __init__(
        self,
        symmetry: SymmetryLike,
        layer: str,
        weight: float = 1.0,
        samples: int = 1,
        distribution: GroupDistribution | None = None,
    ) -> None:
        super().__init__()
        self.candidate = Candidate(symmetry=symmetry, samples=samples, distribution=distribution)
        self.layer = layer
        self.weight = checked_weight(weight)

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        g = self.candidate.elements(x)
        at_x = features_at(model, self.layer, x)
        at_moved = features_at(model, self.layer, self.candidate.moved(g, x))
        defect = self.candidate.penalty(mse, g, at_moved, at_x, None)
        return Loss(self.weight * defect, {f"latent/{self.layer}": defect.detach()})


def features_at(model: nn.Module, path: str, x: object) -> Float[Tensor, "B *F"]:
    """What the layer of a path returns on the way through the model.

    Example:
        >>> from learnsym.objectives.latent_defect import features_at
        >>> features_at(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "0", torch.ones(1, 2, 2))
        tensor([[1., 1., 1., 1.]])
    """
    layer = dict(model.named_modules()).get(path)
    if layer is None:
        raise ValueError(f"layer: got {path!r}, which the model has not; its layers are those of model.named_modules()")
    returned: list[object] = []
    handle = layer.register_forward_hook(lambda module, inputs, outputs: returned.append(outputs))
    try:
        model(x)
    finally:
        handle.remove()
    if len(returned) != 1 or not isinstance(returned[0], Tensor):
        raise ValueError(
            f"layer: {path!r} returned {', '.join(type(each).__name__ for each in returned) or 'nothing'} in one pass, "
            "must return one tensor; name a layer that is called once"
        )
    return returned[0]
