"""Heads: what reads the label of a pretext task, or the vector of a contrast, out of features; left after training."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import EquivariantLinear, FieldType, OrbitInvariants, Sequential
from learnsym.objectives.self_supervision.pretext import Pretext


class EquivariantHead(nn.Module):
    """Logits that move as the labels do: `h(ρ(g) z) = σ(g) h(z)`, from regular fields to those of the labels, unpooled.

    The loss of a moved label at moved views is the same, whatever the weights. Fields of another group, such as those
    of a plain encoder, which are `C_1`, are read by a plain linear map.

    Args:
        pretext: the task.
        features: type of the features of one view.
        hidden: regular fields of a hidden layer with ReLU; 0 for a linear map.

    Example:
        >>> task, fields = ls.objectives.RotationLabel(ls.groups.Cyclic(4)), ls.equivariant.FieldType.regular
        >>> ls.objectives.EquivariantHead(task, fields(ls.groups.Cyclic(4), 8))(torch.rand(3, 1, 32)).shape
        torch.Size([3, 4])
    """

    def __init__(self, pretext: Pretext, features: FieldType, hidden: int = 0) -> None:
        super().__init__()
        self.pretext = pretext
        views, labels = pretext.views, pretext.labels
        if features.group != pretext.group:
            self.read = _perceptron(views * features.size, labels.size, hidden * len(pretext.group.components))
        else:
            fields = FieldType.regular(features.group, views * features.fields)
            self.read = equivariant_perceptron(fields, labels, hidden)
        self.moves = features.group == pretext.group

    def forward(self, z: Float[Tensor, "B V c"]) -> Float[Tensor, "B L"]:
        """The logits of the labels."""
        return self.read(self.pretext.joined(z) if self.moves else z.flatten(1))


class NaiveHead(nn.Module):
    """Logits read from the invariants of each view, which do not move: contradicted by every label that does.

    Args:
        pretext: the task.
        features: type of the features of one view.
        hidden: units of a hidden layer with ReLU, as many as that many regular fields have; 0 for a linear map.
    """

    def __init__(self, pretext: Pretext, features: FieldType, hidden: int = 0) -> None:
        super().__init__()
        self.invariants = OrbitInvariants(features)
        size = pretext.views * self.invariants.out_type.size
        self.read = _perceptron(size, pretext.labels.size, hidden * len(pretext.group.components))

    def forward(self, z: Float[Tensor, "B V c"]) -> Float[Tensor, "B L"]:
        """The logits of the labels."""
        invariants = self.invariants(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        return self.read(invariants.flatten(1))


def equivariant_perceptron(source: FieldType, target: FieldType, hidden: int) -> nn.Module:
    """A linear map between fields, or two with ReLU on regular fields between them."""
    if not hidden:
        return EquivariantLinear(source, target)
    between = FieldType.regular(source.group, hidden)
    return Sequential(EquivariantLinear(source, between), nn.ReLU(), EquivariantLinear(between, target))


def _perceptron(inputs: int, outputs: int, hidden: int) -> nn.Module:
    if not hidden:
        return nn.Linear(inputs, outputs)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
