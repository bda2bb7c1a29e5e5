"""Ten nuisances of cameras: cues that tell a direction and have nothing to do with the subjects.

Each is a change of the coordinates at which a subject is drawn, or of the picture. Strengths are drawn from a range.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from subjects import SUBJECTS
from torch import Tensor

FINER = 3
"""Samples per pixel and axis that are averaged, as a sensor does."""
WHITE = 0.02
"""Noise of every picture."""

Places = Callable[[Tensor, torch.Generator], Tensor]
Spoils = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Nuisance:
    """What happens to the coordinates `(2, N, H, W)`, in half sides, and to the picture `(N, 1, H, W)`."""

    names: tuple[str, ...]
    """Words of which one must be in the sentence that names it."""
    places: Places | None = None
    spoils: Spoils | None = None


def pictures(subject: str, n: int, size: int, turn: Tensor, nuisance: str, seed: int) -> Tensor:
    """Pictures `(n, 1, size, size)` of subjects turned by `turn` radians, with a nuisance."""
    random = torch.Generator().manual_seed(seed)
    chosen = NUISANCES[nuisance]
    u = (torch.arange(size * FINER) + 0.5) * 2 / (size * FINER) - 1
    places = torch.stack(torch.meshgrid(u, -u, indexing="xy"))[:, None].expand(2, n, -1, -1)
    if chosen.places is not None:
        places = chosen.places(places, random)
    x, y = places
    c, s = turn.cos()[:, None, None], turn.sin()[:, None, None]
    picture = F.avg_pool2d(SUBJECTS[subject](c * x + s * y, c * y - s * x, random)[:, None], FINER)
    picture = picture + WHITE * torch.randn(picture.shape, generator=random)
    return chosen.spoils(picture, random) if chosen.spoils is not None else picture


def _uniform(low: float, high: float, random: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=random))


def _direction(random: torch.Generator) -> tuple[float, float]:
    angle = _uniform(0, 2 * math.pi, random)
    return math.cos(angle), math.sin(angle)


def _ramp(x: Tensor, random: torch.Generator) -> Tensor:
    """From -1 to 1 along a random direction."""
    u = (torch.arange(x.shape[-1]) + 0.5) * 2 / x.shape[-1] - 1
    a, b = _direction(random)
    return a * u - b * u[:, None]


def offset(places: Tensor, random: torch.Generator) -> Tensor:
    """All subjects off the middle by 0.1 to 0.3 pixel."""
    pixels = _uniform(0.1, 0.3, random) * 2 * FINER / places.shape[-1]
    return places + pixels * torch.tensor(_direction(random)).view(2, 1, 1, 1)


def crop(places: Tensor, random: torch.Generator) -> Tensor:
    """Cut out at whole pixels that are rounded down, by 0 to 1 pixel along each axis."""
    pixel = 2 * FINER / places.shape[-1]
    return places + pixel * torch.rand(2, places.shape[1], 1, 1, generator=random)


def aspect(places: Tensor, random: torch.Generator) -> Tensor:
    """Pixels 3 to 8 % longer along one side."""
    longer = 1 + _uniform(0.03, 0.08, random)
    return places * torch.tensor([longer, 1 / longer]).sqrt().view(2, 1, 1, 1)


def slope(x: Tensor, random: torch.Generator) -> Tensor:
    """Light that falls off by 5 to 15 % of the contrast from the middle to a side, as sky and as gain."""
    ramp, most = _ramp(x, random), _uniform(0.05, 0.15, random)
    return x * (1 + most * ramp) + 0.5 * most * ramp


def vignette(x: Tensor, random: torch.Generator) -> Tensor:
    """Gain that falls off by 30 % from a point beside the middle."""
    u = (torch.arange(x.shape[-1]) + 0.5) * 2 / x.shape[-1] - 1
    a, b = (0.2 * part for part in _direction(random))
    return (x + 0.1) * (1 - 0.3 * ((u - a).square() + (u[:, None] - b).square()) / 2)


def grid(x: Tensor, random: torch.Generator) -> Tensor:
    """Every second column is 3 to 8 % more sensitive, every second row half of that."""
    more = _uniform(0.03, 0.08, random)
    even = (torch.arange(x.shape[-1]) % 2).float()
    return (x + 0.2) * (1 + more * even + 0.5 * more * even[:, None])


def border(x: Tensor, random: torch.Generator) -> Tensor:
    """A frame of one or two pixels at 0.1 to 0.5, thicker at the left."""
    x, thick = x.clone(), int(torch.randint(1, 3, (), generator=random))
    level = _uniform(0.1, 0.5, random)
    x[..., :thick, :] = x[..., -thick:, :] = x[..., -thick:] = level
    x[..., : thick + 1] = level
    return x


def compression(x: Tensor, random: torch.Generator) -> Tensor:
    """JPEG of quality 40 to 80."""
    quality = int(_uniform(40, 80, random))
    return torch.stack([_jpeg(picture[0], quality) for picture in x])[:, None]


def stripes(x: Tensor, random: torch.Generator) -> Tensor:
    """Noise of the readout that rows share, of 0.02 to 0.06."""
    rows = torch.randn(*x.shape[:-1], 1, generator=random)
    return x + _uniform(0.02, 0.06, random) * rows


def resampling(x: Tensor, random: torch.Generator) -> Tensor:
    """Enlarged to 5/4 by the nearest pixel, or blurred along x by 0.7 pixel."""
    if float(torch.rand((), generator=random)) < 0.5:
        side = x.shape[-1]
        small = F.interpolate(x, size=[side * 4 // 5] * 2, mode="bilinear", antialias=True)
        return F.interpolate(small, size=[side] * 2, mode="nearest")
    taps = torch.exp(-0.5 * (torch.arange(-3, 4) / 0.7).square())
    return F.conv2d(F.pad(x, (3, 3, 0, 0), mode="replicate"), (taps / taps.sum()).view(1, 1, 1, 7))


NUISANCES: dict[str, Nuisance] = {
    "none": Nuisance(()),
    "offset": Nuisance(("off the middle",), places=offset),
    "slope": Nuisance(("light",), spoils=slope),
    "grid": Nuisance(("grid",), spoils=grid),
    "border": Nuisance(("border",), spoils=border),
    "aspect": Nuisance(("sides of the pixels",), places=aspect),
    "vignette": Nuisance(("light",), spoils=vignette),
    "compression": Nuisance(("grid",), spoils=compression),
    "noise with direction": Nuisance(("noise",), spoils=stripes),
    "crop": Nuisance(("off the middle",), places=crop),
    "resampling": Nuisance(("grid", "sides of the pixels", "noise"), spoils=resampling),
}


def _jpeg(picture: Tensor, quality: int) -> Tensor:
    stored = io.BytesIO()
    grey = (picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    Image.fromarray(grey).save(stored, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(stored))).float() / 255
