"""Geometric product, exterior product and join of multivectors, in real arithmetic.

Every product is one autograd function whose gradients are products again: few kernels, all over long rows of tokens.

Legend of axes: `C` channels, `T` tokens.
"""

from __future__ import annotations

from typing import no_type_check

import torch
from torch import Tensor

from learnsym.equivariant.projective.multivectors import Multivectors, dual, involuted, signed, undual
from learnsym.equivariant.projective.stacked import exterior, left, pauli, right, unstacked


def geometric_product(x: Multivectors, y: Multivectors) -> Multivectors:
    """`(a + e0 b)(c + e0 d) = a c + e0 (â d + b c)`, `â` the grade involution.

    Reference: Geometric algebra transformer (Brehmer, de Haan, Behrends, Cohen 2023), arXiv 2305.18415.

    Example:
        >>> e1 = Multivectors(torch.zeros(4, 1, 1), torch.zeros(4, 1, 3, 1)); e1.vectors[0, 0, 0] = 1
        >>> geometric_product(e1, e1).scalars.flatten()
        tensor([1., 0., 0., 0.])
    """
    return Multivectors(*GeometricProduct.apply(*x, *y))


def wedge(x: Multivectors, y: Multivectors) -> Multivectors:
    """The exterior product `x ∧ y`: `a ∧ c + e0 (â ∧ d + b ∧ c)`."""
    return Multivectors(*WedgeProduct.apply(*x, *y))


def join(x: Multivectors, y: Multivectors) -> Multivectors:
    """`x ∨ y` with `dual(x ∨ y) = dual(x) ∧ dual(y)`: of two points their line, of three their plane.

    It commutes with rotations and translations; a reflection changes its sign. Of two points `x` and `y` of weight 1
    the line has direction `B = x - y` and moment `m = B × x`.

    Example:
        >>> points = Multivectors(torch.zeros(4, 1, 2), torch.zeros(4, 1, 3, 2))
        >>> points.scalars[1], points.vectors[3, 0, 0, 1] = 1, 2  # the origin and (2, 0, 0)
        >>> x, y = (Multivectors(points.scalars[..., [k]], points.vectors[..., [k]]) for k in (1, 0))
        >>> join(x, y).vectors[1].flatten()
        tensor([2., 0., 0.])
    """
    return Multivectors(*Join.apply(*x, *y))


class Product(torch.autograd.Function):
    """A bilinear map of two multivectors, of which both are kept for the gradients."""

    @staticmethod
    @no_type_check
    def setup_context(ctx, inputs, output):  # noqa: ANN001, ANN205
        ctx.save_for_backward(*inputs)


class GeometricProduct(Product):
    """Gradients: `<x y, g> = <x, (g' ỹ)'> = <y, (x̃° g')'>`, where `'` exchanges `a` and `b` and `~` is the reversal."""

    @staticmethod
    @no_type_check
    def forward(xs: Tensor, xv: Tensor, ys: Tensor, yv: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(unstacked(*pauli(*left(Multivectors(xs, xv)), *right(Multivectors(ys, yv)))))

    @staticmethod
    @no_type_check
    def backward(ctx, *grads):  # noqa: ANN001, ANN002, ANN205
        x, y = _saved(ctx)
        g = [grad.roll(2, 0) for grad in grads]
        reversed_y = signed(*y, (1,), (1, 2, 3))
        # reversed, then the involution of a and of b alone
        reversed_x = signed(*x, (3,), (0, 1, 3))
        of_x, of_y = GeometricProduct.apply(*g, *reversed_y), GeometricProduct.apply(*reversed_x, *g)
        return tuple(part.roll(2, 0) for part in (*of_x, *of_y))

    @staticmethod
    @no_type_check
    def vmap(info, in_dims, *parts):  # noqa: ANN001, ANN002, ANN205
        return _batched(GeometricProduct, info.batch_size, in_dims, parts)


class WedgeProduct(Product):
    """Gradients: `<x ∧ y, g> = e0123-part of x ∧ y ∧ dual(g)`, so `undual(y ∧ dual g)` and `undual(dual g ∧ x̂)`."""

    @staticmethod
    @no_type_check
    def forward(xs: Tensor, xv: Tensor, ys: Tensor, yv: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(unstacked(*exterior(*left(Multivectors(xs, xv)), *right(Multivectors(ys, yv)))))

    @staticmethod
    @no_type_check
    def backward(ctx, *grads):  # noqa: ANN001, ANN002, ANN205
        x, y = _saved(ctx)
        g = dual(Multivectors(*grads))
        return *undual(wedge(y, g)), *undual(wedge(g, involuted(x)))

    @staticmethod
    @no_type_check
    def vmap(info, in_dims, *parts):  # noqa: ANN001, ANN002, ANN205
        return _batched(WedgeProduct, info.batch_size, in_dims, parts)


class Join(Product):
    """Gradients, as `dual(dual(x))` is the involution: `involuted(dual y) ∧ g` and `g ∧ dual x`."""

    @staticmethod
    @no_type_check
    def forward(xs: Tensor, xv: Tensor, ys: Tensor, yv: Tensor) -> tuple[Tensor, Tensor]:
        x, y = dual(Multivectors(xs, xv)), dual(Multivectors(ys, yv))
        return tuple(undual(unstacked(*exterior(*left(x), *right(y)))))

    @staticmethod
    @no_type_check
    def backward(ctx, *grads):  # noqa: ANN001, ANN002, ANN205
        x, y = _saved(ctx)
        g = Multivectors(*grads)
        return *wedge(involuted(dual(y)), g), *wedge(g, dual(x))

    @staticmethod
    @no_type_check
    def vmap(info, in_dims, *parts):  # noqa: ANN001, ANN002, ANN205
        return _batched(Join, info.batch_size, in_dims, parts)


@no_type_check
def _saved(ctx):  # noqa: ANN001, ANN202
    xs, xv, ys, yv = ctx.saved_tensors
    return Multivectors(xs, xv), Multivectors(ys, yv)


@no_type_check
def _batched(product, size, dims, parts):  # noqa: ANN001, ANN202
    """The rule of `torch.func.vmap`: what is mapped over becomes more tokens."""
    last = (
        part.unsqueeze(-1).expand(*part.shape, size) if dim is None else part.movedim(dim, -1)
        for part, dim in zip(parts, dims, strict=True)
    )
    scalars, vectors = product.apply(*(part.flatten(-2) for part in last))
    return (scalars.unflatten(-1, (-1, size)), vectors.unflatten(-1, (-1, size))), (3, 4)
