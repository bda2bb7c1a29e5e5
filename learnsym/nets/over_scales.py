"""A network on a pyramid of scaled copies of an image, the same weights at every scale."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from learnsym.equivariant import Constant
from learnsym.nets.blocks import at_least_one

REDUCTIONS = ("max", "mean")


class OverScales(nn.Module):
    """The largest (or mean) output over scaled copies of an image: `y = max_s f(s·x)`, with `f` any network.

    Scaling an image by the ratio of two scales moves the copies by one place. So the output stays the same up to the
    copies at both ends, which have no partner, up to interpolation, and up to what leaves the image: invariance to
    scale is approximate here, unlike that to the finite groups.

    Reference: Rath, Condurache, "Deep neural networks with efficient guaranteed invariances" (2023), arXiv 2303.01567;
    pyramids with shared weights: Kanazawa, Sharma, Jacobs, "Locally scale-invariant convolutional neural networks"
    (2014), arXiv 1412.5104.

    Args:
        net: from images `(B, C, size, size)` to features `(B, F)`.
        scales: factors; below 1 the copy is smaller, low-pass filtered, with zeros around; above 1 it is cropped.
        size: height and width of the images.
        reduction: `max` or `mean` over scales.

    Raises:
        ValueError: for no scale, a scale that is not positive, or another reduction.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten())
        >>> ls.nets.OverScales(net, (0.7, 1.0, 1.4), size=12)(torch.rand(2, 1, 12, 12)).shape
        torch.Size([2, 4])
    """

    def __init__(self, net: nn.Module, scales: Sequence[float], size: int, reduction: str = "max") -> None:
        super().__init__()
        at_least_one(size=size)
        if not scales or not all(scale > 0 for scale in scales):
            raise ValueError(f"scales: got {tuple(scales)}, must be positive, at least one; (0.7, 1.0, 1.4) are usual")
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction: got {reduction!r}, must be one of {', '.join(REDUCTIONS)}")
        self.net, self.scales, self.reduction = net, tuple(scales), reduction
        self.resample = Constant(torch.stack([scaling_matrix(scale, size) for scale in scales]))

    def copies(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B S C H W"]:
        """The scaled images: `R_s x R_sᵀ` for each colour."""
        rows = self.resample().to(x.dtype)[:, None]
        return rows @ x[:, None] @ rows.mT

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F"]:
        """The features, no longer told apart by scale."""
        features = self.net(self.copies(x).flatten(0, 1)).unflatten(0, (-1, len(self.scales)))
        return features.amax(1) if self.reduction == "max" else features.mean(1)

    def plain(self) -> nn.Module:
        """The same with the plain twin of the network."""
        from learnsym.relax import plain_twin

        graph, root = fx.Graph(), nn.Module()
        root.net = plain_twin(self.net)
        root.register_buffer("rows", self.resample().clone()[:, None])
        image = graph.call_method("unsqueeze", (graph.placeholder("x"), 1))
        rows = graph.get_attr("rows")
        columns = graph.call_method("transpose", (rows, -1, -2))
        once = graph.call_function(torch.matmul, (rows, image))
        copies = graph.call_method("flatten", (graph.call_function(torch.matmul, (once, columns)), 0, 1))
        features = graph.call_method("unflatten", (graph.call_module("net", (copies,)), 0, (-1, len(self.scales))))
        graph.output(graph.call_method("amax" if self.reduction == "max" else "mean", (features, 1)))
        return fx.GraphModule(root, graph)

    def extra_repr(self) -> str:
        """Scales."""
        return f"scales={self.scales}, reduction={self.reduction!r}"


def scaling_matrix(scale: float, size: int) -> Float[Tensor, "H H"]:
    """Resampling of a row of pixels, enlarged `scale` times about its centre: triangles as wide as a pixel covers."""
    half = (size - 1) / 2
    source = (torch.arange(size, dtype=torch.float64) - half) / scale + half
    width, margin = max(1.0, 1 / scale), int(size / scale) + 2
    # with pixels outside of the image too, which are zero but take their part of the weight
    pixels = torch.arange(-margin, size + margin, dtype=torch.float64)
    weights = (1 - (source[:, None] - pixels).abs() / width).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True).clamp(min=1e-12))[:, margin : margin + size].contiguous()
