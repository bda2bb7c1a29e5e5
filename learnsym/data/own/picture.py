"""One picture file: what its header says, and its pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from learnsym.data.own.damage import readable

if TYPE_CHECKING:
    from PIL import Image

REMEDY = "repair or remove it"
ORIENTATION = 0x0112
"""Tag by which a camera says how it was held."""
TURNED = (5, 6, 7, 8)
"""Values of it by which width and height change places."""
GREY = ("1", "L", "LA", "I", "F")


class Picture(NamedTuple):
    """What the header of a file says.

    Args:
        height, width: as it is seen, after the orientation that the camera noted.
        channels: 1 for grey, 3 for colour; transparency is no channel.
        deep: whether it has more than 8 bits a channel, or floats.
        mode: of Pillow.
        turned: whether the camera noted an orientation.
        shortened: whether Pillow reads fewer bits than it has.
    """

    height: int
    width: int
    channels: int
    deep: bool
    mode: str
    turned: bool
    shortened: bool


def look(path: Path) -> Picture:
    """The header of a picture.

    Raises:
        ValueError: when it is damaged.
    """
    from PIL import Image

    with readable(path, REMEDY), Image.open(path) as image:
        orientation = image.getexif().get(ORIENTATION, 1)
        width, height = image.size[::-1] if orientation in TURNED else image.size
        deep = image.mode[0] in "IF"
        shortened = not deep and any("16" in str(tile[3]) for tile in image.tile[:1])
        grey = image.mode in GREY or deep
        return Picture(height, width, 1 if grey else 3, deep, image.mode, orientation not in (0, 1), shortened)


def pixels(path: Path, channels: int, deep: bool, size: int | None = None) -> np.ndarray:
    """The pixels `(C, H, W)` of a picture: bytes, or floats of 0 to 1 where `deep`.

    What is transparent becomes black. Grey pictures among coloured ones get three equal channels.

    Args:
        path: of the file.
        channels: 1 or 3.
        deep: whether floats are wanted.
        size: the shorter side is scaled to it, and the rest cut off around the centre; None leaves the size.

    Raises:
        ValueError: when it is damaged.
    """
    from PIL import Image, ImageOps

    with readable(path, REMEDY), Image.open(path) as image:
        image.load()
        seen = ImageOps.exif_transpose(image)
        if seen.mode[0] in "IF":
            return _deep(seen, channels, size)
        plain = _without_transparency(seen).convert("L" if channels == 1 else "RGB")
        array = np.asarray(plain if size is None else ImageOps.fit(plain, (size, size), Image.Resampling.BILINEAR))
        array = array[None] if channels == 1 else array.transpose(2, 0, 1)
        return array.astype(np.float32) / 255.0 if deep else array


def _without_transparency(image: Image.Image) -> Image.Image:
    from PIL import Image

    if "transparency" not in image.info and not image.mode.endswith(("A", "a")):
        return image
    over = image.convert("RGBA")
    black = Image.new("RGBA", over.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, over).convert("RGB")


def _deep(image: Image.Image, channels: int, size: int | None) -> np.ndarray:
    """16-bit pixels divided by 65535; floats as they are."""
    from PIL import Image, ImageOps

    array = np.asarray(image).astype(np.float32)
    if image.mode[0] == "I":
        if array.max(initial=0) > 65535 or array.min(initial=0) < 0:
            raise ValueError("it has whole numbers beyond 16 bits, whose range is not known")
        array /= 65535.0
    if size is not None:
        array = np.asarray(ImageOps.fit(Image.fromarray(array), (size, size), Image.Resampling.BILINEAR))
    return np.repeat(array[None], channels, 0)
