"""Which part of what a model returns is measured, by its name."""

from __future__ import annotations

from learnsym.measure._probe import Output
from learnsym.parts import Part


def output_named(key: str) -> Output:
    """Takes the part of a model's output that is called `key`, see `learnsym.parts.Part`.

    Raises:
        ValueError: when called with an output that has no such part.

    Example:
        >>> output = ls.report.card.output_named("logits.1")
        >>> output({"logits": (torch.zeros(1), torch.ones(1))})
        tensor([1.])
    """
    return Part(key, "output").get
