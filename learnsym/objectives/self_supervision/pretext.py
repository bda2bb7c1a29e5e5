"""What a pretext task is: pictures with labels that are made of them, on which the group acts.

Legend of axes: `B` batch, `V` views of an example, `L` labels, `c` channels of features, `f` regular fields of them.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.actions import Image
from learnsym.equivariant import FieldType
from learnsym.groups import Group


class Pretext(abc.ABC):
    """A task whose labels are made of the pictures and are moved by the group as the views are.

    Each example gives `views` pictures `v = make(x, l)` and the label `l`. Moved views are those of a moved label,
    `g·make(x, l) = make(x', g·l)`, with `x' = x` or another picture that is as likely, such as `g·x`: an exact encoder
    can solve the task, and does so for all poses at once.

    Reference: after Mukuta, Harada, "Self-supervised learning for group equivariant neural networks" (2023), arXiv
    2303.04427, of which the idea is stated and no task in detail was known to us.

    Attributes:
        name: in configurations.
        group: that acts on views and labels.
        labels: the representation of the labels: label `l` is its channel `l`.
        views: pictures of each example.
    """

    name: str
    group: Group
    labels: FieldType
    views: int

    @abc.abstractmethod
    def make(self, x: Float[Tensor, "B C H W"], label: Int[Tensor, "B"]) -> Float[Tensor, "B V C h w"]:
        """The views of each picture for a given label."""

    def draw(self, x: Float[Tensor, "B C H W"]) -> tuple[Float[Tensor, "B V C h w"], Int[Tensor, "B"]]:
        """Views and labels, which are uniform."""
        label = torch.randint(self.labels.size, (len(x),), device=x.device)
        return self.make(x, label), label

    def moved_views(self, g: Float[Tensor, "2 2"], views: Float[Tensor, "B V C h w"]) -> Float[Tensor, "B V C h w"]:
        """`g·v`: each view turned, and where their places say something, put at another place."""
        return each_view_moved(g, views)

    def moved_labels(self, g: Float[Tensor, "2 2"], label: Int[Tensor, "B"]) -> Int[Tensor, "B"]:
        """`g·l`."""
        one_hot = torch.nn.functional.one_hot(label, self.labels.size).to(g)
        return self.labels.mix(g.expand(len(label), 2, 2), one_hot).argmax(1)

    def joined(self, z: Float[Tensor, "B V c"]) -> Float[Tensor, "B Vc"]:
        """The features of all views as `V f` regular fields."""
        return z.flatten(1)


def each_view_moved(g: Float[Tensor, "2 2"], views: Float[Tensor, "B V C h w"]) -> Float[Tensor, "B V C h w"]:
    """Each view turned by one element."""
    flat = views.flatten(0, 1)
    return Image()(g.to(flat).expand(len(flat), 2, 2), flat).unflatten(0, views.shape[:2])
