"""Two levels in one step: weights follow the training loss, parameters of symmetry something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from torch import nn

from learnsym.augment import Augmented


@contextmanager
def frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """No gradient for these parameters from what is computed within."""
    asked = [p for p in parameters if p.requires_grad]
    try:
        for p in asked:
            p.requires_grad_(False)
        yield
    finally:
        for p in asked:
            p.requires_grad_(True)


@contextmanager
def predicting(model: nn.Module, copies: int | None, usual: int) -> Iterator[None]:
    """Evaluation mode, but augmented networks draw their elements at random, `copies` per example.

    Args:
        model: with augmented networks or without.
        copies: asked for; `usual` when None.
        usual: copies of augmented networks, if there are any.

    Raises:
        ValueError: for a number of copies with a model that averages over none.
    """
    augmented = [module for module in model.modules() if isinstance(module, Augmented)]
    if copies is not None and not augmented:
        kind = type(model).__name__
        raise ValueError(f"copies: got {copies}, but {kind} averages over no copies; leave it out")
    drawing = {id(module) for site in augmented for module in (site, *site.distribution.modules())}
    with ExitStack() as stack:
        for site in augmented:
            stack.callback(setattr, site, "copies", site.copies)
            site.copies = usual if copies is None else copies
        for module in [module for module in model.modules() if module.training and id(module) not in drawing]:
            stack.callback(setattr, module, "training", True)
            module.training = False
        yield
