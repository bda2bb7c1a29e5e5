"""AMC: the frames of the Acclaim motion capture format, as CMU publishes them (mocap.cs.cmu.edu).

A frame is its number on a line of its own, then one line per bone: its name and the numbers that the skeleton asks for.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from learnsym.data.motion.skeleton import Skeleton
from learnsym.data.text import Line, read_lines

ANGLES = {":DEGREES": 1.0, ":RADIANS": math.degrees(1.0)}


def read_amc(path: Path | str, skeleton: Skeleton) -> Float64[Tensor, "T C"]:
    """The frames of an AMC file, plain or `.gz`, that was recorded with `skeleton`.

    Returns:
        Channels `(T, C)` in the order of the skeleton: translations in units of the file, angles in degrees.

    Raises:
        ValueError: when a line is malformed or a bone is missing; names the file, the line and what was expected.
    """
    lines = [line for line in read_lines(Path(path)) if line.words and not line.words[0].startswith("#")]
    start = next((i for i, line in enumerate(lines) if not line.words[0].startswith(":")), len(lines))
    degrees = _degrees(Path(path), lines[:start])
    frames = _frames(Path(path), lines[start:])
    return torch.tensor([_channels(frame, skeleton, degrees) for frame in frames], dtype=torch.float64)


def _degrees(path: Path, head: list[Line]) -> float:
    """Degrees per angle."""
    units = [ANGLES[word] for line in head if (word := line.words[0].upper()) in ANGLES]
    if len(units) != 1:
        raise ValueError(f"{path}: expected one line :DEGREES or :RADIANS before the first frame; give an AMC file")
    return units[0]


def _frames(path: Path, lines: list[Line]) -> list[list[Line]]:
    """Lines of each frame, headed by the line with its number."""
    frames: list[list[Line]] = []
    for line in lines:
        if len(line.words) == 1 or not frames:
            expected = str(int(frames[-1][0].text) + 1) if frames else "the number of the first frame"
            if not line.text.strip().isdecimal() or (frames and line.text.strip() != expected):
                raise line.wrong(f"{expected}, on a line of its own" + (", or a bone and its numbers" * bool(frames)))
            frames.append([])
        frames[-1].append(line)
    if not frames:
        raise ValueError(f"{path}: holds no frames, expected at least one; give an AMC file")
    return frames


def _channels(lines: list[Line], skeleton: Skeleton, degrees: float) -> list[float]:
    columns = skeleton.columns
    values = [math.nan] * skeleton.channels
    seen: set[str] = set()
    for line in lines[1:]:
        name, *words = line.words
        if name not in columns or name in seen:
            raise line.wrong("a bone of the skeleton, each once in a frame")
        seen.add(name)
        place = columns[name]
        count = place.stop - place.start
        expected = f"{name!r} and {count} numbers"
        numbers = line.floats(words, expected)
        if len(numbers) != count:
            raise line.wrong(expected)
        values[place] = numbers
    for bone in skeleton.bones:
        if bone.channels and bone.name not in seen:
            raise lines[-1].wrong(f"a line for {bone.name!r} in frame {lines[0].text.strip()}, which ends here")
    if degrees == 1.0:
        return values
    kinds = [channel for bone in skeleton.bones for channel in bone.channels]
    return [value * (degrees if kind[0] == "r" else 1.0) for kind, value in zip(kinds, values, strict=True)]
