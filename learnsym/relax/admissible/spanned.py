"""A network whose parameters are held in given spaces, in coordinates of your own."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from learnsym import _escnn
from learnsym.equivariant.constant import Basis
from learnsym.relax.admissible.space import AdmissibleSpace


class Spanned(nn.Module):
    """A network some of whose parameters are combinations of given directions: `w = B c`, with `c` trained.

    Kernels with a support, a basis that is not orthonormal, the equivariant values alone: what training does in such a
    parametrisation can be asked with it. Directions are shared by all copies that move
    alike, such as the kernels of all pairs of channels. It starts with the admissible values nearest to those of `net`.

    Args:
        net: any network; it is copied.
        spaces: the space of each such parameter, by its name; all other parameters stay as they are.

    Raises:
        ValueError: for a parameter that the network does not have or of another shape.

    Reference: Nordenfors, Ohlsson, Flinth, "Optimization dynamics of equivariant and augmented neural networks" (2023),
    arXiv 2303.13458.

    Example:
        >>> cross = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
        >>> space = ls.relax.AdmissibleSpace.supported(ls.relax.KernelPixels(3), ls.groups.Cyclic(4), cross)
        >>> net = ls.relax.Spanned(nn.Conv2d(1, 1, 3, bias=False), {"weight": space})
        >>> [tuple(coordinates.shape) for twin in (net, net.exact()) for coordinates in twin.parameters()]
        [(1, 1, 5), (1, 1, 2)]
    """

    def __init__(self, net: nn.Module, spaces: Mapping[str, AdmissibleSpace]) -> None:
        super().__init__()
        net, known = _escnn.copied(net), dict(net.named_parameters())
        for name, space in spaces.items():
            _check_fits(known, name, space)
        self.names, self.spaces = tuple(spaces), dict(spaces)
        self.coordinates = nn.ParameterList(
            nn.Parameter(space.coordinates(known[name].detach())) for name, space in spaces.items()
        )
        self.bases = nn.ModuleList(Basis(space.spanning) for space in spaces.values())
        for name in spaces:
            # the forward pass puts the value in its place; what stands there meanwhile is not part of the state
            owner, _, leaf = name.rpartition(".")
            module = net.get_submodule(owner)
            value = module._parameters.pop(leaf)
            assert value is not None
            module.register_buffer(leaf, torch.zeros_like(value), persistent=False)
        self.net = net
        for basis, coordinates in zip(self.bases, self.coordinates, strict=True):
            basis.to(coordinates)

    def weights(self) -> dict[str, Tensor]:
        """`w = B c` of each spanned parameter, by name."""
        return {
            name: space.moved.put(attrgetter(name)(self.net), coordinates @ basis().mT)
            for (name, space), coordinates, basis in zip(self.spaces.items(), self.coordinates, self.bases, strict=True)
        }

    def departures(self) -> dict[str, Tensor]:
        """`w - Π_E w` of each spanned parameter."""
        return {name: weight - self.spaces[name].projection(weight) for name, weight in self.weights().items()}

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  whatever the network takes and returns
        """What the network gives with `w = B c`."""
        return torch.func.functional_call(self.net, self.weights(), args, kwargs)

    def exact(self) -> Spanned:
        """A twin with the nearest values of `E`, in orthonormal coordinates: training leaves it equivariant."""
        return Spanned(self.plain(), {name: space.exact() for name, space in self.spaces.items()})

    @torch.no_grad()
    def plain(self) -> nn.Module:
        """A copy of the network that has the values as ordinary parameters."""
        net = _escnn.copied(self.net)
        for name, weight in self.weights().items():
            owner, _, leaf = name.rpartition(".")
            module = net.get_submodule(owner)
            del module._buffers[leaf]
            module._non_persistent_buffers_set.discard(leaf)
            module.register_parameter(leaf, nn.Parameter(weight.clone()))
        return net

    def extra_repr(self) -> str:
        """The spaces."""
        return ", ".join(f"{name}: {space}" for name, space in self.spaces.items())


def spanned_networks(model: nn.Module) -> dict[str, Spanned]:
    """The spanned networks of a model by their paths."""
    return {path: module for path, module in model.named_modules() if isinstance(module, Spanned)}


def _check_fits(known: Mapping[str, Tensor], name: str, space: AdmissibleSpace) -> None:
    """Refuse a parameter that the network does not have, or whose entries are others."""
    if name not in known:
        raise ValueError(f"spaces: got {name!r}, must be parameters of the network: {', '.join(list(known)[:8])}")
    moved, parameter = space.moved, known[name]
    try:
        entries = moved.entries(parameter)
        fits = entries.shape[-1] == moved.together and moved.put(parameter, entries).shape == parameter.shape
    except (RuntimeError, IndexError):
        fits = False
    if not fits:
        raise ValueError(
            f"spaces: got {moved} for {name!r} of shape {tuple(parameter.shape)}, which has not such entries; give "
            "its own size"
        )
