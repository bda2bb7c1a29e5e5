"""Equivariant layers whose kernel is expanded from their weights: `k = Σ_K w_oiK b_K`.

Legend of axes: `R` rows, `o`, `i` fields out and in, `a`, `b` their components, `K` basis kernels, `S` pixels of the
kernel, `T` positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant import EquivariantLinear, GroupConv2d, SteerableConv
from learnsym.objectives.marginal_likelihood.layers._acting import positions
from learnsym.objectives.marginal_likelihood.layers.patches import padded, patches


@dataclass(frozen=True)
class ExactActing:
    """`y_oa(t) = Σ_iK w_oiK z_iK(a, t)` with `z_iK(a, t) = Σ_bS b_K(a, b, S) x_ib(t + S)`, by the chain rule.

    The weights are shared by the positions and by the components of a field alike, and KFAC for shared weights
    (`kronecker.moments_of`) takes both as independent of each other. Couplings between components are left out with it;
    with one component this is the convolution with the kernel as it is. Each pair of representations has a block.
    """

    layer: GroupConv2d | SteerableConv | EquivariantLinear

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """`weights.o-i` and what biases are made of."""
        weights = {
            f"weights.{name}": (f"gradients.{name.split('-')[0]}", f"inputs.{name}") for name in self.layer.weights
        }
        return weights | {name: (name,) for name, _ in self.layer.named_parameters() if name.startswith("bias")}

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R 1 Ta iK"]]:
        found, sections = self._patches(x), self.layer.in_type.sections()
        taken = {}
        for name in self.layer.weights:
            representation, count, channels = sections[int(name.split("-")[1])]
            parts = found[:, :, channels].unflatten(2, (count, representation.size))
            z = torch.einsum("rtibs,kabs->ratik", parts, self._basis(name).to(x.dtype))
            taken[f"inputs.{name}"] = z.flatten(3).flatten(1, 2).unsqueeze(1)
        return taken

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R 1 Ta O"]]:
        g = g.flatten(2) if g.ndim > 2 else g.unsqueeze(2)
        given = {}
        for o, (representation, count, channels) in enumerate(self.layer.out_type.sections()):
            fields = g[:, channels].unflatten(1, (count, representation.size))
            # (R, o, a, T) -> (R, a T, o)
            given[f"gradients.{o}"] = fields.flatten(2).mT.unsqueeze(1)
        return given | self._biases(positions(g))

    def _biases(self, g: Float[Tensor, "R 1 T c"]) -> dict[str, Tensor]:
        """`∂/∂b_q` at each position: the constants of channels are linear in the biases."""
        owned = {n: p for n, p in self.layer.named_parameters() if n.startswith("bias") and p.requires_grad}
        found = {}
        with torch.enable_grad():
            constants = self.layer.channel_bias() if owned else None
            for name, bias in owned.items():
                assert constants is not None
                rows = [torch.autograd.grad(each, bias, retain_graph=True)[0].flatten() for each in constants]
                found[name] = g @ torch.stack(rows).to(g.dtype)
        return found

    def _basis(self, name: str) -> Float[Tensor, "K a b S"]:
        """The kernels between one field and another of one weight each."""
        numbers = self.layer.weights[name].shape[-1]
        one = torch.eye(numbers, dtype=self.layer.weights[name].dtype, device=self.layer.weights[name].device)
        kernels = self.layer.block(name, one.unsqueeze(1))
        # (K a, b, *S): each row of the identity is a field of its own
        kernels = kernels.unflatten(0, (numbers, -1))
        return kernels.flatten(3) if kernels.ndim > 3 else kernels.unsqueeze(3)

    def _patches(self, x: Tensor) -> Float[Tensor, "R T c S"]:
        if isinstance(self.layer, EquivariantLinear):
            return x[:, None, :, None]
        dims, options = len(self.layer.pixels), self.layer.options
        x = padded(x, [options["padding"]] * 2 * dims, self.layer.padding_mode)
        return patches(x, self.layer.pixels, [options["stride"]] * dims, [options.get("dilation", 1)] * dims)
