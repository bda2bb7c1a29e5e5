"""What a source of networks is: a word of a configuration or a command line that names a network of somebody else."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn

WIDTH = 32
"""`net.width` where it is not asked for."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is known of the network that is wanted; None for what is not known, and left to the source.

    Args:
        in_shape: shape of one example.
        classes: outputs for an example, or for a pixel.
        width: how wide it shall be.
    """

    in_shape: tuple[int, ...] | None = None
    classes: int | None = None
    width: int | None = None

    @property
    def in_channels(self) -> int | None:
        """Channels of images and volumes, numbers of a vector or of a point."""
        if not self.in_shape:
            return None
        return self.in_shape[-1] if len(self.in_shape) == 2 else self.in_shape[0]

    @property
    def size(self) -> int | None:
        """Pixels along a side of square images and volumes."""
        sides = set((self.in_shape or ())[1:])
        return sides.pop() if len(self.in_shape or ()) > 2 and len(sides) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Source(abc.ABC):
    """Where a network of somebody else comes from.

    Args:
        argument: which argument named it, with which errors begin.
    """

    argument: str
    has_width: ClassVar[bool] = False
    """Whether networks of this kind can be made wider and narrower."""
    output: ClassVar[str | None] = None
    """Key of the output in what networks of this kind return; None for all of it."""

    @property
    @abc.abstractmethod
    def word(self) -> str:
        """What names it from every folder: with absolute paths."""

    @abc.abstractmethod
    def network(self, wanted: Wanted) -> nn.Module:
        """The network, with the weights that it comes with, or fresh ones.

        Raises:
            ValueError: when there is none, or it cannot be as is wanted; one sentence with the remedy.
        """

    def takes_width(self) -> bool:
        """Whether this network can be made wider and narrower."""
        return self.has_width

    def files(self) -> Sequence[Path]:
        """The files that the network is made from, once it is made; a run keeps hashes of them."""
        return ()

    def kept(self) -> Mapping[str, bytes]:
        """Files of code, by their paths in a folder from which `at` makes the network again."""
        return {}

    def at(self, folder: Path) -> Source | None:
        """The source of the files that `kept` has given, in a folder; None where they are not enough."""
        return None

    def check_width(self, width: int | None) -> None:
        """Refuse a width that is asked for, of a network that has one of its own."""
        if width not in (None, WIDTH):
            raise ValueError(
                f"net.width: got {width} with {self.word}, which has a width of its own; leave it out, or take "
                "FILE.py:factory whose factory has an argument width"
            )
