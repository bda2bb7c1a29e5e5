"""Which derivative of an image tells an exact layer from one that is not."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from inputs import INPUTS, images, interval, photographs
from torch import Tensor, nn

import learnsym as ls

DERIVATIVES = ("spectral", "central", "bilinear", "mixed")
SIZES = range(8, 257)
SHOWN = (8, 28, 32, 56, 64, 112, 224, 256)
FRAME, EXAMPLES, SEEDS = 2, 2, 3
REFLECTED = ls.actions.Image(padding="reflection")
SHIFT = ls.Symmetry(ls.groups.Translation2(), REFLECTED, REFLECTED)
ACTIVATIONS = {"ReLU": nn.ReLU(), "GELU": nn.GELU()}


def mixed(x: Tensor) -> Tensor:
    """The derivative along x of a bilinear sampler at rest, as automatic differentiation gives it.

    Each pixel is read at its own position, which rounding in float32 puts into the interval before it or after it.
    """
    size = x.shape[-1]
    position = (torch.linspace(-1, 1, size) + 1) / 2 * (size - 1)
    padded = F.pad(x, (1, 1, 0, 0), mode="replicate")
    return torch.where(position.floor() < torch.arange(size), x - padded[..., :-2], padded[..., 2:] - x)


def of_derivative(f: Callable[[Tensor], Tensor], x: Tensor, derivative: str) -> float:
    """`|L f| / (|J A x| + |A f|)` for shifts along x."""
    if derivative != "mixed":
        found = ls.measure.local_equivariance_error(f, x, SHIFT, ["translation_x"], derivative=derivative)
        return found["translation_x"].of_derivative.mean
    moved, after = torch.func.jvp(f, (x,), (mixed(x),))[1], mixed(f(x))
    error, *scales = (t.flatten(1).norm(dim=1) for t in (moved - after, moved, after))
    return float((error / sum(scales)).mean())


def errors(f: Callable[[Tensor], Tensor], x: Tensor) -> dict[str, float]:
    return {derivative: float(f"{of_derivative(f, x, derivative):.3g}") for derivative in DERIVATIVES}


def convolution_inputs(photos: Tensor, size: int) -> dict[str, Tensor]:
    """With a frame of zeros nothing crosses the border, where differences have to guess."""
    inner = {f"framed {kind}": images(kind, photos, size - 2 * FRAME) for kind in ("faded", "noise")}
    framed = {name: F.pad(x, [FRAME] * 4) for name, x in inner.items()}
    return framed | {kind: images(kind, photos, size) for kind in ("photo", "noise")}


def rows() -> Iterator[dict]:
    """A circular convolution at every size, with weights and noise of its own; two activations at 224 pixels."""
    photos = photographs(EXAMPLES * SEEDS)
    for size in SIZES:
        torch.manual_seed(size)
        conv = nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular").requires_grad_(False)
        for kind, x in convolution_inputs(photos[:EXAMPLES], size).items():
            yield {"layer": "convolution", "size": size, "input": kind} | errors(conv, x)
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        for kind in INPUTS:
            x = images(kind, photos[seed * EXAMPLES :][:EXAMPLES], 224)
            for name, activation in ACTIVATIONS.items():
                yield {"layer": name, "seed": seed, "input": kind} | errors(activation, x)


def show(found: list[dict]) -> None:
    """The largest error over sizes, some sizes, and the activations."""
    convolution = [row for row in found if row["layer"] == "convolution"]
    for kind in dict.fromkeys(row["input"] for row in convolution):
        of_kind = {row["size"]: row for row in convolution if row["input"] == kind}
        for name in DERIVATIVES:
            values = torch.tensor([row[name] for row in of_kind.values()])
            some = "  ".join(f"{size}: {of_kind[size][name]:.1e}" for size in SHOWN)
            print(f"{kind:13s} {name:9s} median {values.median():.1e} max {values.max():.1e}  {some}")
    for name, kind in ((name, kind) for name in ACTIVATIONS for kind in INPUTS):
        values = [row for row in found if row["layer"] == name and row["input"] == kind]
        cells = ("{:.2g} [{:.2g}, {:.2g}]".format(*interval([row[d] for row in values])) for d in DERIVATIVES)
        print(f"{name} {kind:6s}", "  ".join(cells))
