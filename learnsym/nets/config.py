"""Settings of the network, and networks by name."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, get_args

import torch
from torch import nn

from learnsym._settings import In, PathText, check_settings, shown
from learnsym.actions import PointCloud, PointVectors
from learnsym.groups import Group
from learnsym.nets.cifar import CIFARNet
from learnsym.nets.cnn import CNN
from learnsym.nets.mario import MarioCNN
from learnsym.nets.matching import matched_width, parameter_count
from learnsym.nets.mlp import MLP
from learnsym.nets.points import EGNN, GNN, ClofNet, GATr, PointTransformer
from learnsym.nets.segmentation import SegmentationCNN
from learnsym.nets.sources import (
    FORMS,
    WIDTH,
    OutputPart,
    SeveralInputs,
    Source,
    TimmModel,
    Wanted,
    check_outputs,
    source_of,
)
from learnsym.nets.sources.weights import check_ending, load_weights
from learnsym.nets.spherical import SphericalCNN, SphericalUNet, usual_band_limits
from learnsym.nets.steerable_blocks import Conv
from learnsym.nets.steerable_cnn import SteerableCNN
from learnsym.parts import Part

Shape = tuple[int, ...]
PointNet = Literal["transformer", "gnn", "egnn", "clofnet", "gatr"]
Forces = Literal["direct", "conservative"]
POINT_NETS: tuple[str, ...] = get_args(PointNet)
"""Networks on clouds of points, see `build_points`."""
ImageNet = Literal["cnn", "mlp", "mario", "cifar", "segmentation", "spherical", "spherical_unet"]
IMAGE_NETS: tuple[str, ...] = get_args(ImageNet)
"""Networks for inputs of one shape, whatever the method, see `build`."""
LayeredNet = Literal["steerable", "group", "layerwise", "invariant", "regular", "regular_resnet", "world"]
"""Networks of images, or of transitions, whose layers the method chooses."""
ProcessNet = Literal["convcnp", "equivcnp", "tnp"]
PROCESS_NETS: tuple[str, ...] = get_args(ProcessNet)
"""Networks of tasks with a context, see `nets.processes`."""
BUILT_IN: tuple[str, ...] = (*IMAGE_NETS, *get_args(LayeredNet), *POINT_NETS, *PROCESS_NETS)
"""Names of the networks of the library."""
TRIED = (2, 3)
"""Examples on which a network of somebody else is tried, so that one of a single batch size is found out."""


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """Which network, and how large."""

    name: PathText = "cnn"
    """Images: cnn, a small convolutional classifier; mlp, a perceptron; mario, the Mario-Iggy network; cifar, nine
    convolutions for CIFAR-10; segmentation, a small U-Net. Pictures of the sphere: spherical, a rotation-invariant
    classifier; spherical_unet, an equivariant one of pixels. With layers that the method chooses: steerable, six
    convolutions; group, three group convolutions; layerwise, eight maps between grids; invariant, group convolutions
    with invariants; regular, group convolutions whose features know the pose; regular_resnet, residual blocks of them;
    world, a model of transitions. Clouds of points: transformer; gnn, a plain graph network; egnn, an E(3) graph
    network; clofnet, an SE(3) graph network with local frames; gatr, an E(3) geometric-algebra transformer. Tasks with
    a context: convcnp, a convolutional neural process; equivcnp, a steerable one of the plane; tnp, a transformer one.
    Your own: FILE.py:factory, which is EXECUTED (its arguments width, in_shape, in_channels or in_chans, classes or
    num_classes, and size are given where it has them); timm:NAME; hf:FOLDER, a local folder of transformers; FILE.pt2,
    an exported program."""
    width: Annotated[int, In("[1, 1000000]")] = WIDTH
    """Channels of the first layer, units of a hidden layer (mlp), fields of the first layer (steerable, group,
    invariant, regular, regular_resnet, world), features of a point, or multivectors of a point, rounded up to a
    multiple of 4 (gatr); features of a location, or regular fields (equivcnp)."""
    depth: Annotated[int, In("[1, 1000]")] = 3
    """Blocks of cnn, regular and regular_resnet, hidden layers of mlp, poolings of segmentation, levels of spherical
    networks, layers of a network of points or of tasks; mario and cifar have a depth of their own."""
    exact: PointNet = "egnn"
    """Networks of points only: the exact twin, with the width that gives it about as many parameters; where the degree
    lives in the weights the learned twin is that network, relaxed."""
    forces: Forces | None = None
    """Networks of points with the loss `potential` only: forces predicted beside the energy, `direct`, or minus its
    gradient, `conservative`; None for direct."""
    norm: Literal["group", "batch", "none"] = "group"
    """Normalisation; group does not depend on the other examples of a batch. Spherical networks have no batch norm."""
    dropout: Annotated[float, In("[0, 1)")] = 0.3
    """Cifar only: probability of dropping a channel."""
    weights: PathText | None = None
    """File of the weights to begin with, .safetensors, .pt or .pth with a state_dict; no code in it is run."""
    pretrained: bool = False
    """timm:NAME only: begin with the published weights, which are downloaded."""
    output: str | None = None
    """Your own network: the key of the part of what it returns that is the output; logits for hf:FOLDER."""

    def __post_init__(self) -> None:
        check_settings(self, "net.")
        source = source_of(self.name)
        if self.weights is not None:
            check_ending(self.weights)
            object.__setattr__(self, "weights", os.path.abspath(os.path.expanduser(self.weights)))
        if source is not None:
            object.__setattr__(self, "name", source.word)
            _check_own(self, source)
        elif self.name not in BUILT_IN:
            raise ValueError(
                f"net.name: got {shown(self.name)}, must be one of {', '.join(BUILT_IN)}, or your own: {FORMS}"
            )
        elif unused := [name for name in ("pretrained", "output") if getattr(self, name)]:
            raise ValueError(
                f"net.{unused[0]}: got {getattr(self, unused[0])} with the network {self.name}, which does not use it; "
                "leave it out"
            )

    @property
    def source(self) -> Source | None:
        """Where a network of your own comes from; None for one of the library."""
        source = source_of(self.name)
        return replace(source, pretrained=self.pretrained) if isinstance(source, TimmModel) else source


def _check_own(config: NetConfig, source: Source) -> None:
    """Refuse settings that only networks of the library have."""
    usual = {field.name: field.default for field in fields(config)}
    for name in ("depth", "forces", "norm", "dropout"):
        if getattr(config, name) != usual[name]:
            raise ValueError(
                f"net.{name}: got {getattr(config, name)} with {source.word}, which does not take it; leave it out"
            )
    if config.pretrained and not isinstance(source, TimmModel):
        raise ValueError(
            f"net.pretrained: got true with {source.word}, only timm:NAME has published weights; leave it out, or give "
            "a file of net.weights"
        )
    if not source.has_width:
        source.check_width(config.width)


def build(config: NetConfig, in_shape: Shape, classes: int, moves: str = "") -> nn.Module:
    """The network that a configuration describes, for inputs of one shape.

    Args:
        config: which network; a file of Python that it names is executed.
        in_shape: shape of one example: `(C, H, W)` for images.
        classes: number of outputs per example, or per pixel.
        moves: for examples of several inputs the key of the one with `in_shape`; empty for examples of one tensor.

    Raises:
        ValueError: when the shape does not fit the network, or there is no such network.

    Example:
        >>> type(ls.nets.build(ls.nets.NetConfig(width=8), (1, 28, 28), 10)).__name__
        'CNN'
    """
    if config.source is not None:
        return _own(config, config.source, tuple(in_shape), classes, moves)
    if config.name not in builders:
        raise ValueError(
            f"net.name: got {config.name!r}, must be one of {', '.join(builders)} for inputs of one shape, or your own"
        )
    if moves:
        raise ValueError(
            f"net.name: got {config.name!r} for examples of several inputs, must be your own, such as FILE.py:factory"
        )
    if config.name != "mlp":
        _check_images(config, in_shape)
    return with_weights(config, builders[config.name](config, tuple(in_shape), classes))


def _own(config: NetConfig, source: Source, in_shape: Shape, classes: int, moves: str) -> nn.Module:
    """A network of somebody else, which is tried on a few examples of one tensor."""
    given = source.network(Wanted(in_shape=in_shape, classes=classes or None, width=config.width))
    net = SeveralInputs(given) if moves else given
    if output := config.output or source.output:
        net = OutputPart(net, Part(output, "net.output"))
    for count in () if moves else TRIED:  # which makes layers that wait for the first batch, too
        x = torch.rand(count, *in_shape, generator=torch.Generator().manual_seed(0))
        check_outputs(net, source.word, x, classes)
    with_weights(config, given)
    return net


def with_weights(config: NetConfig, net: nn.Module) -> nn.Module:
    """The network, which begins with the weights of a file where the configuration names one."""
    if config.weights is not None:
        load_weights(net, Path(config.weights))
    return net


def build_steerable(
    config: NetConfig, group: Group, conv: Conv, in_shape: Shape, classes: int, band_limit: int = 2
) -> nn.Module:
    """The steerable network with given convolutions; images are resized to the next size at which strides are exact.

    Args:
        config: of which the width counts.
        group: of the fields, of the plane.
        conv: builds each convolution, `conv(in_type, out_type, kernel_size, stride=, padding=, bias=)`.
        in_shape: shape of one example, `(C, H, W)`.
        classes: number of outputs per example.
        band_limit: highest frequency of the fields of a Lie group.

    Raises:
        ValueError: for inputs that are no images.

    Example:
        >>> conv = ls.equivariant.SteerableConv
        >>> net = ls.nets.build_steerable(ls.nets.NetConfig(width=2), ls.groups.Cyclic(4), conv, (1, 28, 28), 10)
        >>> net(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """
    _check_images(config, in_shape)
    size = max(2, math.ceil((max(in_shape[1:]) - 1) / 8)) * 8 + 1
    limit = None if group.order else band_limit
    return SteerableCNN(group, in_shape[0], classes, config.width, limit, size, conv=conv)


def build_points(config: NetConfig, on_input: PointCloud, on_output: PointCloud | PointVectors) -> nn.Module:
    """The network on clouds that a configuration describes.

    Args:
        config: which network; its name must be one of `POINT_NETS`.
        on_input: what points carry.
        on_output: what is predicted of them.

    Raises:
        ValueError: for a network that does not take clouds.

    Example:
        >>> cloud = ls.actions.PointCloud(vectors=1, scalars=1)
        >>> config = ls.nets.NetConfig(name="gnn", width=32, depth=2)
        >>> type(ls.nets.build_points(config, cloud, ls.actions.PointCloud())).__name__
        'GNN'
    """
    if config.name not in POINT_NETS:
        raise ValueError(f"net.name: got {config.name!r} for clouds of points, must be one of {', '.join(POINT_NETS)}")
    return with_weights(config, point_builders[config.name](on_input, on_output, config.width, config.depth))


def exact_points(
    config: NetConfig, on_input: PointCloud, on_output: PointCloud | PointVectors, parameters: int | None = None
) -> Callable[[PointCloud], nn.Module]:
    """Builds the exact network for clouds of given types, as wide as has about as many parameters as the plain one.

    Args:
        config: which network.
        on_input: what points carry.
        on_output: what is predicted of them.
        parameters: of the plain network; None for those of the one in `config`.

    Example:
        >>> cloud = ls.actions.PointCloud(vectors=1, scalars=1)
        >>> config = ls.nets.NetConfig(name="gnn", width=32, depth=2)
        >>> type(ls.nets.exact_points(config, cloud, ls.actions.PointCloud())(cloud)).__name__
        'EGNN'
    """
    if parameters is None:
        parameters = parameter_count(build_points(config, on_input, on_output))

    def exact(width: int, types: PointCloud = on_input) -> nn.Module:
        return point_builders[config.exact](types, on_output, width, config.depth)

    return partial(exact, matched_width(exact, parameters))


def _check_images(config: NetConfig, in_shape: Shape) -> None:
    if len(in_shape) != 3:
        raise ValueError(
            f"in_shape: got {tuple(in_shape)}, {config.name} needs images (C, H, W); use mlp for other data"
        )


def _cnn(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return CNN(shape[0], classes, width=c.width, size=min(shape[1:]), depth=c.depth, norm=c.norm)


def _mlp(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return MLP(math.prod(shape), classes, width=c.width, depth=c.depth)


def _mario(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return MarioCNN(shape[0], classes, width=c.width, norm=c.norm)


def _cifar(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return CIFARNet(shape[0], classes, width=c.width, dropout=c.dropout, norm=c.norm)


def _segmentation(c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    return SegmentationCNN(shape[0], classes, width=c.width, depth=c.depth, norm=c.norm)


def _spherical(kind: type[SphericalCNN] | type[SphericalUNet], c: NetConfig, shape: Shape, classes: int) -> nn.Module:
    size = (shape[1], shape[2])
    return kind(shape[0], classes, size, c.width, usual_band_limits(*size, levels=c.depth), norm=c.norm)


def _heads(width: int) -> int:
    return math.gcd(width, 8)


def _gatr(i: PointCloud, o: PointCloud | PointVectors, width: int, depth: int) -> nn.Module:
    channels = 4 * math.ceil(width / 4)
    return GATr(i, o, blocks=depth, channels=channels, scalars=8 * channels, heads=_heads(channels))


point_builders: dict[str, Callable[[PointCloud, PointCloud | PointVectors, int, int], nn.Module]] = {
    "transformer": lambda i, o, width, depth: PointTransformer(i, o, width=width, blocks=depth, heads=_heads(width)),
    "gnn": lambda i, o, width, depth: GNN(i, o, hidden=width, layers=depth),
    "egnn": lambda i, o, width, depth: EGNN(i, o, hidden=width, layers=depth),
    "gatr": _gatr,
    "clofnet": lambda i, o, width, depth: ClofNet(i, o, hidden=width, layers=depth),
}

builders: dict[str, Callable[[NetConfig, Shape, int], nn.Module]] = {
    "cnn": _cnn,
    "mlp": _mlp,
    "mario": _mario,
    "cifar": _cifar,
    "segmentation": _segmentation,
    "spherical": partial(_spherical, SphericalCNN),
    "spherical_unet": partial(_spherical, SphericalUNet),
}
