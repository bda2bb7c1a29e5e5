"""Whether strided operations are exact at the size of the images, when quarter turns or flips were asked about."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from learnsym._reasons import reason_of
from learnsym.measure import exact_sizes
from learnsym.parts import chosen
from learnsym.report.card.situation import Situation

TURNED = {"quarter_turns2d", "square2d", "flip2d", "rotation2d", "orthogonal2d"}
"""Symmetries that strided operations can commute with."""


class OfImages(nn.Module):
    """A network as a function of the images alone: other inputs are those of the first examples.

    Args:
        situation: with the network, and its examples.
    """

    def __init__(self, situation: Situation) -> None:
        super().__init__()
        self.net = situation.model
        self.part = situation.symmetry.on_input.part
        self.x = situation.x

    def forward(self, images: Tensor) -> object:
        """What the network returns."""
        return self.net(self.part.put(chosen(self.x, slice(0, len(images))), images))


def sizes_note(situations: Sequence[Situation]) -> list[str]:
    """A sentence on strided operations; none for other data and other symmetries."""
    first = situations[0]
    if first.moving.ndim != 4 or TURNED.isdisjoint(situation.name for situation in situations):
        return []
    model = first.model if isinstance(first.x, Tensor) else OfImages(first)
    try:
        return [_sizes(model, first.moving)]
    except Exception as error:  # a model whose operations cannot be followed
        return [
            f"Whether strided operations commute with quarter turns and flips could not be told ({reason_of(error)})."
        ]


def _sizes(model: nn.Module, x: Tensor) -> str:
    size = (x.shape[-2], x.shape[-1])
    verdict = exact_sizes(model, [size], channels=x.shape[1]).verdicts[0]
    if verdict.exact:
        return f"Strided operations commute with quarter turns and flips at {size[0]}×{size[1]} pixels."
    return f"Strided operations do not commute with quarter turns and flips: {verdict}."
