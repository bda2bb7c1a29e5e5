"""Skeletons are read as they are written; every malformed line is named."""

import gzip

import pytest

from learnsym.data.motion import read_asf

ARM = """# an arm
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  anything goes
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 1 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name hand
    direction 1 0 0
    length 0.5
    axis 0 0 90 XYZ
    dof rx rz
    limits (-90.0 90.0)
           (-45.0 45.0)
  end
  begin
    id 2
    name arm
    direction 0 -1 0
    length 2
    axis 10 20 30 ZYX
  end
:hierarchy
  begin
    root arm
    arm hand
  end
"""


def write(folder, text):
    path = folder / "arm.asf"
    path.write_text(text)
    return path


def test_bones_and_channels(tmp_path):
    skeleton = read_asf(write(tmp_path, ARM))
    assert skeleton.joints == ("root", "hand", "arm") and skeleton.parents == (-1, 2, 0)
    assert skeleton.downwards == (0, 2, 1)
    assert skeleton.metres == pytest.approx(0.0254 / 0.45)
    root, hand, arm = skeleton.bones
    assert root.offset == (0, 1, 0) and root.channels == ("tx", "ty", "tz", "rx", "ry", "rz")
    assert hand.offset == (0.5, 0, 0) and hand.channels == ("rx", "rz") and hand.axis == (0, 0, 90)
    assert arm.offset == (0, -2, 0) and arm.channels == () and arm.order == "zyx"
    assert skeleton.channels == 8 and skeleton.columns["hand"] == slice(6, 8)


def test_compressed_and_radians(tmp_path):
    path = tmp_path / "arm.asf.gz"
    path.write_bytes(gzip.compress(ARM.replace("angle deg", "angle rad").replace("0 0 90", "0 0 1").encode()))
    assert read_asf(path).bones[1].axis == pytest.approx((0, 0, 57.29577951))


MALFORMED = {
    "no number": ("length 0.5", "length half", r"line 19: got 'length half', expected `length` and a positive number"),
    "not finite": ("length 0.5", "length nan", r"line 19: .*finite numbers"),
    "no length": ("    length 0.5\n", "", r"line 15: got 'begin', expected a line `length`"),
    "negative": ("length 0.5", "length -1", r"line 19: .*a positive number"),
    "two numbers": ("direction 1 0 0", "direction 1 0", r"line 18: .*`direction` and three numbers"),
    "no direction": ("direction 1 0 0", "direction 0 0 0", r"line 18: .*a direction of length 1, not 0"),
    "axis order": ("axis 0 0 90 XYZ", "axis 0 0 90 XXZ", r"line 20: .*an order of the three axes"),
    "axis without order": ("axis 0 0 90 XYZ", "axis 0 0 90", r"line 20: .*and their order, such as XYZ"),
    "unknown dof": ("dof rx rz", "dof rx l", r"line 21: .*some of rx ry rz"),
    "dof twice": ("dof rx rz", "dof rx rx", r"line 21: .*each once"),
    "unknown key": ("id 1", "colour red", r"line 16: got 'colour red', expected one of name, direction"),
    "name": ("name hand", "name", r"line 17: .*`name` and one word"),
    "same name": ("name arm", "name hand", r"line 27: got 'name hand', expected a name that no other bone has"),
    "root again": ("name arm", "name root", r"line 27: .*a name that no other bone has"),
    "units": ("angle deg", "angle turns", r"line 6: .*`angle deg` or `angle rad`"),
    "no units": (":units", ":unit", r"has no section :units"),
    "root order": ("order TX TY TZ", "order TX TY TU", r"line 10: .*some of tx ty tz rx ry rz"),
    "no end": ("    limits (-90.0 90.0)\n           (-45.0 45.0)\n  end", "", r"`end` of the block before"),
    "never ends": ("    arm hand\n  end\n", "    arm hand\n", r"line 35: got 'arm hand', expected `end`"),
    "no begin": ("  begin\n    id 1", "    id 1", r"line 15: got 'id 1', expected `begin`"),
    "no such bone": ("arm hand\n", "arm foot\n", r"line 35: .*names of bones; 'foot' is none"),
    "ring": ("root arm\n    arm hand", "root hand\n    arm arm", r"line 35: .*a parent that was named before"),
    "loose": ("    arm hand\n", "", r"line 35: .*a parent of 'hand'"),
    "two blocks": ("root arm\n", "root arm\n  end\n  begin\n", r"line 32: .*one block"),
    "no section": ("# an arm", "an arm", r"line 1: got 'an arm', expected a section"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_lines_are_named(tmp_path, case):
    old, new, message = MALFORMED[case]
    assert old in ARM
    with pytest.raises(ValueError, match=r"arm\.asf.*" + message):
        read_asf(write(tmp_path, ARM.replace(old, new, 1)))


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(ValueError, match=r"none\.asf: cannot be read as text"):
        read_asf(tmp_path / "none.asf")
    (tmp_path / "raw.asf").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "raw.asf.gz").write_bytes(b"not gzipped")
    for name in ("raw.asf", "raw.asf.gz"):
        with pytest.raises(ValueError, match="cannot be read as text"):
            read_asf(tmp_path / name)
