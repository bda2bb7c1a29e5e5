"""Floating-point operations of a training step by the rule of scaling studies."""

from __future__ import annotations

from torch import nn

from learnsym.equivariant.projective.linear import MultivectorLinear


def nominal_flops(net: nn.Module) -> int:
    """Nominal FLOPs of a training step per token: 6 for each element of a matrix, forward and backward.

    Plain linear layers have `6 in out`; linear maps of multivectors count as dense maps of 16 components,

        6 (S R + S D + C R + 256 C D),

    `C`, `D` multivectors and `S`, `R` scalars in and out. Biases, products, softmax and attention scores are left out.
    What is really computed is less, as matrices of multivectors are sparse; `torch.utils.flop_counter` counts it.

    Reference: Does equivariance matter at scale? (Brehmer, Behrends, de Haan, Cohen 2024), arXiv 2410.23179.

    Example:
        >>> nominal_flops(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)))
        54
    """
    return sum(_elements(module) for module in net.modules()) * 6


def _elements(module: nn.Module) -> int:
    if isinstance(module, nn.Linear):
        return module.in_features * module.out_features
    if not isinstance(module, MultivectorLinear):
        return 0
    (c, d), (s, r) = module.channels, module.scalars
    return s * r + s * d + c * r + 256 * c * d
