"""The local equivariance error of a batch as a sum over sites: a forward pass for jumps, a reverse pass to weigh them.

Legend of axes: `B` examples, `N` sites, `K` outputs, `M` probes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

from learnsym._modes import module_of
from learnsym.measure._probe import check_outputs, floating
from learnsym.measure._reader import Reader
from learnsym.measure.lie.forward import dual
from learnsym.measure.lie.generator import Operator
from learnsym.measure.lie.layout import Layout
from learnsym.measure.lie.missed import first_missed, is_missed
from learnsym.measure.lie.trace import Declared, LayoutTrace, Visit


@dataclass(frozen=True)
class Operators:
    """The generator on inputs, on feature maps of a layout, and on outputs."""

    on_input: Operator
    on_feature: Callable[[Tensor, Layout], Tensor]
    on_output: Operator


@dataclass(frozen=True)
class Part:
    """What a batch says: `dots[i]` is `<c_i, c>`, `squares[i]` is `|c_i|²`, `total` is `|c|²`, for each example."""

    sites: list[str]
    dots: Float[Tensor, "N B"]
    squares: Float[Tensor, "N B"] | None
    total: Float[Tensor, "B"]
    outputs: int
    trace: LayoutTrace


@dataclass(frozen=True)
class _Jump:
    """At one site: `J (A u) - A v`, from its inputs `u` to its result `v`."""

    site: str
    value: Tensor
    layout: Layout

    def dot(self, gradient: Tensor) -> Float[Tensor, "B"]:
        """Inner product with a gradient, per example."""
        product = self.layout.by_example(self.value).double() * self.layout.by_example(gradient).double()
        return product.sum(1)


@dataclass(frozen=True)
class Splitter:
    """One network whose error is split, a batch at a time; use within `differentiating`."""

    read: Reader
    operators: Operators
    layouts: Mapping[str, Declared]
    probes: int
    seed: int

    def __call__(self, x: Float[Tensor, "B ..."], first: int) -> Part:
        """The sum over sites for a batch whose first example is number `first` of all."""
        tangent = self.operators.on_input(x)
        y, moved = self._derivative(x, tangent)
        check_outputs(y, first)
        if first == 0 and is_missed(self.read.real, x, tangent[None], y, moved[None]):
            raise ValueError(_unattributable(self._first_missed(x, tangent)))
        c = moved - self.operators.on_output(y)
        jumps, last, trace = self._jumps(x)
        directions = self._directions(c, first)
        dots = self._dots(x, jumps, last, [c, *directions])
        squares = None
        if directions:
            squared = torch.stack(dots[1:]).square()
            squares = squared.sum(0) if c[0].numel() <= self.probes else squared.mean(0)
        return Part([*(jump.site for jump in jumps), "output"], dots[0], squares, _dot(c, c), c[0].numel(), trace)

    def _derivative(self, x: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        try:
            y, moved, _ = dual(self.read.real, x, tangent)
        except NotImplementedError as error:
            raise ValueError(_unattributable("", f" ({' '.join(str(error).split())[:100]})")) from error
        return y, moved

    def _first_missed(self, x: Tensor, tangent: Tensor) -> str:
        module = module_of(self.read.model)
        return "" if module is None else first_missed(module, self.read.real, x, tangent)

    def _jumps(self, x: Tensor) -> tuple[list[_Jump], Tensor, LayoutTrace]:
        """At each site the tangent is noted and set to what the symmetry asks for; the last jump is the output's."""
        jumps: list[_Jump] = []

        def visit(site: str, t: Tensor, layout: Layout) -> Tensor:
            v, tangent = forward_ad.unpack_dual(t)
            wanted = self.operators.on_feature(v, layout)
            jumps.append(_Jump(site, -wanted if tangent is None else tangent - wanted, layout))
            return forward_ad.make_dual(v, wanted)

        with torch.no_grad(), forward_ad.dual_level():
            # a copy, which the model may overwrite
            trace, returned = self._traced(forward_ad.make_dual(x.clone(), self.operators.on_input(x)), visit)
            y, tangent = forward_ad.unpack_dual(returned)
        return jumps, (torch.zeros_like(y) if tangent is None else tangent) - self.operators.on_output(y), trace

    def _dots(self, x: Tensor, jumps: list[_Jump], last: Tensor, directions: list[Tensor]) -> list[Tensor]:
        """For each direction `z` of the output and each site, `<J_{i -> output} L_i, z> = <L_i, Jᵀ z>`."""
        sites: list[str] = []
        by_place: dict[int, Tensor] = {}

        def visit(site: str, t: Tensor, layout: Layout) -> Tensor:
            place = len(sites)
            sites.append(site)
            if t.requires_grad:
                t.register_hook(lambda gradient: by_place.__setitem__(place, jumps[place].dot(gradient)))
            return t

        with torch.enable_grad():
            x = x.detach().requires_grad_()
            _, y = self._traced(x.clone(), visit)
        if sites != [jump.site for jump in jumps]:
            raise ValueError("model: takes another path on every call; fix its random choices in evaluation mode")
        dots = []
        for z in directions:
            by_place.clear()
            if y.requires_grad:
                torch.autograd.grad(y, x, z.to(y), retain_graph=True, allow_unused=True)
            nothing = torch.zeros(len(x), dtype=torch.float64, device=x.device)
            dots.append(torch.stack([*(by_place.get(i, nothing) for i in range(len(jumps))), _dot(last, z)]))
        return dots

    def _traced(self, x: Tensor, visit: Visit) -> tuple[LayoutTrace, Tensor]:
        trace = LayoutTrace(self.read.model, visit, self.layouts)
        trace.assign(x, Layout.of("BCHW", x.shape))
        with trace:
            return trace, floating(self.read.batch(x))

    def _directions(self, c: Tensor, first: int) -> list[Tensor]:
        """Every output where they are few, else Gaussian probes, the same for an example in any batch."""
        outputs = c[0].numel()
        if not self.probes:
            return []
        if outputs <= self.probes:
            return [unit.expand(len(c), -1).reshape(c.shape) for unit in torch.eye(outputs).to(c)]
        draws = [
            torch.randn(
                self.probes, *c.shape[1:], generator=torch.Generator().manual_seed(self.seed * 1_000_003 + index)
            )
            for index in range(first, first + len(c))
        ]
        return list(torch.stack(draws, 1).to(c))


def _unattributable(path: str, why: str = "") -> str:
    where = f"its module {path!r}" if path else "one of its steps"
    return (
        f"model: cannot be attributed: {where} changes with x but has no derivative, or another one{why}; NumPy, "
        ".item(), rounding, quantised weights or a backward of its own do that: measure what comes before it"
    )


def _dot(a: Tensor, b: Tensor) -> Float[Tensor, "B"]:
    return (a.double() * b.double()).reshape(len(a), -1).sum(1)
