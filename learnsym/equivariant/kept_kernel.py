"""A kernel that is expanded once for weights that stay."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from learnsym.actions._lattice import readable


class KeptKernel:
    """The last kernel of a layer in evaluation, with a copy of the weights that it is of.

    It is used again for weights of the same values alone, whichever way they were changed or loaded; a comparison reads
    the weights, of which a kernel has many copies. On CUDA nothing is kept, since comparing would wait for the device.
    It is no part of the state: copies and pickles of a layer have none.

    Example:
        >>> from learnsym.equivariant.kept_kernel import KeptKernel
        >>> kept, weights = KeptKernel(), nn.ParameterDict({"w": torch.ones(2)})
        >>> with torch.no_grad(): first, again = [kept(lambda: 3 * weights["w"], weights) for _ in range(2)]
        >>> first is again
        True
    """

    def __init__(self) -> None:
        self._last: tuple[list[Tensor], Tensor] | None = None

    def __call__(self, kernel: Callable[[], Tensor], weights: nn.ParameterDict) -> Tensor:
        """The kernel of given weights, kept where no gradient, trace, transform or counter has to see it made."""
        if is_in_torch_dispatch_mode() or not all(map(_is_seen, weights.values())):
            return kernel()
        last = self._last
        if last is None or not all(map(_same, last[0], weights.values())):
            # what is made in inference mode could not be used where an input needs a gradient
            with torch.inference_mode(False), torch.no_grad():
                last = self._last = [weight.detach().clone() for weight in weights.values()], kernel()
        return last[1]

    def __reduce__(self) -> tuple[type[KeptKernel], tuple[()]]:
        return KeptKernel, ()


def _is_seen(weight: Tensor) -> bool:
    return readable(weight) and weight.device.type == "cpu"


def _same(kept: Tensor, weight: Tensor) -> bool:
    return kept.dtype == weight.dtype and torch.equal(kept, weight)
