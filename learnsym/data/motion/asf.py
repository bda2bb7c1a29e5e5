"""ASF: the skeleton file of the Acclaim motion capture format, as CMU publishes it (mocap.cs.cmu.edu).

Sections start with a colon: `:units` (length, angle), `:root`, `:bonedata` (one `begin ... end` block per bone) and
`:hierarchy` (a parent and its children per line).
"""

from __future__ import annotations

import math
from pathlib import Path

from learnsym.data.motion.skeleton import ROTATIONS, TRANSLATIONS, Bone, Skeleton, Triple
from learnsym.data.text import Line, read_lines

SECTIONS = ("units", "root", "bonedata", "hierarchy")
IGNORED = ("id", "limits", "bodymass", "cofmass")
Entries = dict[str, Line]


def read_asf(path: Path | str) -> Skeleton:
    """The skeleton of an ASF file, plain or `.gz`.

    Raises:
        ValueError: when a section is missing or a line is malformed; names the file, the line and what was expected.
    """
    sections = _sections(read_lines(Path(path)))
    missing = [name for name in SECTIONS if name not in sections]
    if missing:
        raise ValueError(f"{path}: has no section :{missing[0]}, expected {', '.join(SECTIONS)}; give an ASF file")
    units = _entries(sections["units"], ("mass", "length", "angle"))
    degrees = _degrees_per_angle(_get(units, "angle", sections["units"]))
    root = _root(sections["root"], degrees)
    bones = _bones(sections["bonedata"], degrees)
    parents = _parents(sections["hierarchy"], [root.name, *(bone.name for bone in bones)])
    hung = [Bone(b.name, b.offset, b.axis, b.order, b.channels, parents[b.name]) for b in bones]
    return Skeleton((root, *hung), _positive(_get(units, "length", sections["units"])))


def _sections(lines: list[Line]) -> dict[str, list[Line]]:
    """Lines of each section, headed by the line that opens it."""
    sections: dict[str, list[Line]] = {}
    name = ""
    for line in lines:
        words = line.words
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            name = words[0][1:].lower()
            sections[name] = [line]
        elif not name:
            raise line.wrong("a section such as :units before anything else")
        else:
            sections[name].append(line)
    return sections


def _blocks(lines: list[Line]) -> list[list[Line]]:
    """What stands between `begin` and `end`, each block headed by its `begin`."""
    blocks: list[list[Line]] = []
    is_open = False
    for line in lines[1:]:
        word = line.words[0]
        if (word == "begin") == is_open and word in ("begin", "end"):
            raise line.wrong("`end` of the block before" if is_open else "`begin` before `end`")
        if not is_open and word != "begin":
            raise line.wrong("`begin` of a block")
        if word == "begin":
            blocks.append([])
        is_open = word != "end"
        if is_open:
            blocks[-1].append(line)
    if is_open:
        raise lines[-1].wrong("`end` of the block after this line")
    return blocks


def _entries(lines: list[Line], known: tuple[str, ...]) -> Entries:
    """Lines by their first word."""
    entries: Entries = {}
    for line in lines[1:]:
        word = line.words[0]
        if word.startswith("("):  # a further line of limits
            continue
        if word not in known or word in entries:
            raise line.wrong(f"one of {', '.join(known)}, each once")
        entries[word] = line
    return entries


def _get(entries: Entries, name: str, lines: list[Line]) -> Line:
    if name not in entries:
        raise lines[0].wrong(f"a line `{name}` in what starts here")
    return entries[name]


def _root(lines: list[Line], degrees: float) -> Bone:
    entries = _entries(lines, ("order", "axis", "position", "orientation"))
    order, axis = _get(entries, "order", lines), _get(entries, "axis", lines)
    position, orientation = _get(entries, "position", lines), _get(entries, "orientation", lines)
    turned = _scaled(_triple(orientation), degrees)
    return Bone("root", _triple(position), turned, _order(axis, axis.words[1:]), _channels(order, TRANSLATIONS))


def _bones(lines: list[Line], degrees: float) -> list[Bone]:
    bones: list[Bone] = []
    for block in _blocks(lines):
        bones.append(_bone(block, degrees, ["root", *(bone.name for bone in bones)]))
    return bones


def _bone(lines: list[Line], degrees: float, taken: list[str]) -> Bone:
    entries = _entries(lines, ("name", "direction", "length", "axis", "dof", *IGNORED))
    name, axis = _get(entries, "name", lines), _get(entries, "axis", lines)
    if len(name.words) != 2:
        raise name.wrong("`name` and one word")
    if name.words[1] in taken:
        raise name.wrong("a name that no other bone has")
    offset = _scaled(_unit(_get(entries, "direction", lines)), _positive(_get(entries, "length", lines)))
    dof = entries.get("dof")
    channels = () if dof is None else _channels(dof, ())
    return Bone(name.words[1], offset, _scaled(_triple(axis), degrees), _order(axis, axis.words[4:]), channels)


def _parents(lines: list[Line], names: list[str]) -> dict[str, int]:
    parents: dict[str, int] = {}
    blocks = _blocks(lines)
    if len(blocks) != 1:
        raise lines[0].wrong("one block `begin ... end` in the section that starts here")
    for line in blocks[0][1:]:
        parent, *children = line.words
        for name in line.words:
            if name not in names:
                raise line.wrong(f"names of bones; {name!r} is none")
        for child in children:
            # A bone hangs on one that hangs already: so all hang on the root, and there are no rings.
            if child in parents or child == "root" or (parent != "root" and parent not in parents):
                raise line.wrong("a parent that was named before, and children that hang on no other bone")
            parents[child] = names.index(parent)
    loose = [name for name in names[1:] if name not in parents]
    if loose:
        raise lines[-1].wrong(f"a parent of {loose[0]!r} before this line")
    return parents


def _triple(line: Line, end: int | None = None) -> Triple:
    expected = f"`{line.words[0]}` and three numbers"
    values = line.floats(line.words[1:4], expected)
    is_axis = line.words[0] == "axis"
    if len(values) != 3 or len(line.words) != (5 if is_axis else 4):
        raise line.wrong(expected + (" and their order, such as XYZ" if is_axis else ""))
    return values[0], values[1], values[2]


def _unit(line: Line) -> Triple:
    direction = _triple(line)
    length = math.hypot(*direction)
    if abs(length - 1.0) > 1e-3:
        raise line.wrong(f"a direction of length 1, not {length:.4g}")
    return _scaled(direction, 1.0 / length)


def _scaled(triple: Triple, factor: float) -> Triple:
    return triple[0] * factor, triple[1] * factor, triple[2] * factor


def _positive(line: Line) -> float:
    expected = f"`{line.words[0]}` and a positive number"
    values = line.floats(line.words[1:], expected)
    if len(values) != 1 or values[0] <= 0.0:
        raise line.wrong(expected)
    return values[0]


def _degrees_per_angle(line: Line) -> float:
    if line.words[1:] not in (["deg"], ["rad"]):
        raise line.wrong("`angle deg` or `angle rad`")
    return 1.0 if line.words[1] == "deg" else math.degrees(1.0)


def _order(line: Line, words: list[str]) -> str:
    if len(words) != 1 or sorted(words[0].lower()) != ["x", "y", "z"]:
        raise line.wrong("an order of the three axes at the end, such as XYZ")
    return words[0].lower()


def _channels(line: Line, translations: tuple[str, ...]) -> tuple[str, ...]:
    channels = tuple(word.lower() for word in line.words[1:])
    known = (*translations, *ROTATIONS)
    if not channels or len(set(channels)) < len(channels) or not set(channels) <= set(known):
        raise line.wrong(f"`{line.words[0]}` and some of {' '.join(known)}, each once")
    return channels
