"""FILE.pt2: a program of torch.export."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from learnsym._reasons import reason_of
from learnsym.nets.sources.source import Source, Wanted

logger = logging.getLogger(__name__)
REMEDY = "write it with learnsym export or torch.export.save"


@dataclass(frozen=True, kw_only=True)
class Program(Source):
    """An exported program: its weights can be trained on, its operations are those of the mode of its export."""

    path: Path

    @classmethod
    def of(cls, word: str, argument: str) -> Program | None:
        """The source that a word names; None where it names another kind."""
        return cls(argument=argument, path=Path(word).absolute()) if word.endswith(".pt2") else None

    @property
    def word(self) -> str:
        return str(self.path)

    def network(self, wanted: Wanted) -> nn.Module:
        self.check_width(wanted.width)
        if not zipfile.is_zipfile(self.path):
            raise ValueError(f"{self.argument}: {self.path} is no file of torch.export; {REMEDY}")
        logging.getLogger("torch.export").setLevel(logging.ERROR)  # it tells of each format that a file is not in
        try:
            program = torch.export.load(self.path)
            net = Exported(program.module())
        except Exception as error:  # a damaged file raises errors of many kinds
            raise ValueError(f"{self.argument}: {self.path} cannot be read ({reason_of(error)}); {REMEDY}") from error

        if layers := _with_modes(program):
            logger.info("%s: its %s stays in the mode of its export", self.path.name, " and ".join(layers))
        return net

    def files(self) -> Sequence[Path]:
        return (self.path,)


def _with_modes(program: torch.export.ExportedProgram) -> list[str]:
    """Kinds of layers that do one thing in training and another in evaluation."""
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    kinds = ("dropout", "batch_norm")
    return [kind.replace("_", " ") for kind in kinds if any(kind in name for name in called)]


class Exported(nn.Module):
    """A program of torch.export as a module like others: such a program refuses to change its mode, which is fixed.

    Args:
        net: the module of the program.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Any) -> Any:  # noqa: ANN401  whatever the program takes and returns
        """What the program returns."""
        return self.net(x)

    def train(self, mode: bool = True) -> Exported:
        """Leave the program in its mode."""
        self.training = mode
        return self
