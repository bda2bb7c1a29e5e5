"""What each position of a convolution takes in.

Legend of axes: `R` rows, `C` channels, `T` positions, `K` pixels of the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def patches(x: Tensor, size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Float[Tensor, "R T C K"]:
    """Windows of padded images or volumes `(R, C, *S)`."""
    dims = len(size)
    for axis, (pixels, step, apart) in enumerate(zip(size, stride, dilation, strict=True), 2):
        x = x.unfold(axis, apart * (pixels - 1) + 1, step)[..., ::apart]
    # (R, C, positions..., kernel...) -> (R, positions, C, kernel)
    return x.flatten(2 + dims).flatten(2, 1 + dims).transpose(1, 2)


def padded(x: Tensor, around: Sequence[int], mode: str) -> Tensor:
    """`F.pad` with the names of modes that convolutions have."""
    return F.pad(x, list(around), mode="constant" if mode == "zeros" else mode)
