"""Maps between grids, dense, factored, convolutional and sparsified: the layers of ELLA.

Legend of axes: `R` rows, `c` channels in, `d` channels out, `X`, `Y` pixels in and out, `J` anchors, `k` side of a
kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from learnsym.objectives.marginal_likelihood.layers._acting import LARGEST, positions
from learnsym.objectives.marginal_likelihood.layers.linear import BLOCKS
from learnsym.objectives.marginal_likelihood.layers.patches import patches
from learnsym.relax import ConvMap, DenseMap, FactoredMap, SparsifiedConv, SparsifiedMap
from learnsym.relax.grid_maps import convolved
from learnsym.relax.polyphase import largest, phases, picked

FACTORED = {"reading": ("read.gradients", "read.inputs"), "writing": ("write.gradients", "write.inputs")}


@dataclass(frozen=True)
class DenseMapActing:
    """`y = Θ x + b` between flattened images: one position."""

    layer: DenseMap

    def __post_init__(self) -> None:
        numbers = max(self.layer.weight[0, 0].numel(), self.layer.bias.numel())
        if numbers > LARGEST:
            raise ValueError(
                f"model: a dense map has images of {numbers} numbers, whose Kronecker factor has their square; must be "
                f"at most {LARGEST}; take factored or sparsified maps, or a narrower network"
            )

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return BLOCKS

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R 1 1 cX"]]:
        return {"inputs": x.flatten(1)[:, None, None]}

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R 1 1 dY"]]:
        return {"gradients": g.flatten(1)[:, None, None]}


@dataclass(frozen=True)
class FactoredMapActing:
    """`s_dc = Σ_x U_cxd x_cx` and `y_dy = Σ_c V_dcy s_dc`: one group for each channel, in for `U` and out for `V`.

    By the chain rule `U` of channel `c` takes `x_c` and gives what has the derivatives `h_dc = Σ_y V_dcy g_dy`, and `V`
    of channel `d` takes `s_d` and gives what has `g_d`. Couplings between groups are left out; within one group and one
    example each tensor has a Kronecker product exactly, for one output of the network.
    """

    layer: FactoredMap

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return {**FACTORED, "channel_bias": ("channel_bias",), "pixel_bias": ("pixel_bias",)}

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R M 1 I"]]:
        return _factored_inputs(x.flatten(2), x.flatten(2), self.layer.reading)

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R M T O"]]:
        biases = {"channel_bias": positions(g), "pixel_bias": g.flatten(2).unsqueeze(1)}
        return {**_factored_gradients(g.flatten(2), g.flatten(2), self.layer.writing), **biases}


@dataclass(frozen=True)
class SparsifiedMapActing:
    """A factored map of `U = u ψ_X` and `V = v ψ_Y`: `u` takes `ψ_X x_c`, and `v` gives what has `ψ_Y g_d`."""

    layer: SparsifiedMap

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return {**FACTORED, "bias": ("bias",)}

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R M 1 I"]]:
        reading, _ = self.layer.patterns()
        return _factored_inputs(x.flatten(2), x.flatten(2) @ self.layer.over_input().mT, reading)

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R M T O"]]:
        _, writing = self.layer.patterns()
        g = g.flatten(2)
        return {**_factored_gradients(g, g @ self.layer.over_output().mT, writing), "bias": positions(g)}


@dataclass(frozen=True)
class ConvMapActing:
    """A convolution whose positions are those that are sampled, of each image its own."""

    layer: ConvMap

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return BLOCKS

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R 1 T ckk"]]:
        return {"inputs": _sampled_patches(self.layer, x).flatten(2).unsqueeze(1)}

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R 1 Y d"]]:
        return {"gradients": positions(g)}


@dataclass(frozen=True)
class SparsifiedConvActing:
    """A convolution with the kernel `u ψ`, whose `u` takes `ψ a_t` of the patches `a_t`."""

    layer: SparsifiedConv

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return BLOCKS

    def taken(self, x: Tensor) -> dict[str, Float[Tensor, "R 1 T cJ"]]:
        at_anchors = _sampled_patches(self.layer, x) @ self.layer.over_kernel().mT
        return {"inputs": at_anchors.flatten(2).unsqueeze(1)}

    def given(self, x: Tensor, g: Tensor) -> dict[str, Float[Tensor, "R 1 Y d"]]:
        return {"gradients": positions(g)}


def _factored_inputs(
    x: Float[Tensor, "R c X"], at_weights: Float[Tensor, "R c J"], reading: Float[Tensor, "c X d"]
) -> dict[str, Tensor]:
    """What `U` takes, at pixels or anchors, and `V`: `s_dc = Σ_x U_cxd x_cx`."""
    s = (x.transpose(0, 1) @ reading).permute(1, 2, 0)
    return {"read.inputs": at_weights.unsqueeze(2), "write.inputs": s.unsqueeze(2)}


def _factored_gradients(
    g: Float[Tensor, "R d Y"], at_weights: Float[Tensor, "R d J"], writing: Float[Tensor, "d c Y"]
) -> dict[str, Tensor]:
    """Derivatives of what `U` gives, `h_dc = Σ_y V_dcy g_dy`, and `V`, at pixels or anchors."""
    h = (g.transpose(0, 1) @ writing.mT).permute(1, 2, 0)
    return {"read.gradients": h.unsqueeze(2), "write.gradients": at_weights.unsqueeze(2)}


def _sampled_patches(layer: ConvMap | SparsifiedConv, x: Tensor) -> Float[Tensor, "R Y c kk"]:
    """The patches of the positions that `polyphase` takes of each image."""
    k, channels = layer.kernel_size, x.shape[1]
    found = patches(F.pad(x, [k // 2] * 4, mode="circular"), (k, k), (1, 1), (1, 1))
    if layer.stride > 1:
        images = found.flatten(2).mT.unflatten(2, layer.size)
        which = largest(phases(convolved(x, layer.kernel(), layer.bias), layer.stride))
        found = picked(phases(images, layer.stride), which).flatten(2).mT.unflatten(2, (channels, k * k))
    return found
