"""Frames are read in the order of the skeleton; every malformed line is named."""

import pytest
import torch

from learnsym.data.motion import Bone, Skeleton, read_amc

REST = (0.0, 0.0, 0.0)
SKELETON = Skeleton(
    (
        Bone("root", REST, REST, "xyz", ("tx", "ty", "tz", "rx", "ry", "rz")),
        Bone("stiff", REST, REST, "xyz", (), 0),
        Bone("arm", REST, REST, "xyz", ("rx", "rz"), 1),
    )
)
FRAMES = """# an arm
:FULLY-SPECIFIED
:DEGREES
1
arm 10 20
root 1 2 3 4 5 6
2
root 7 8 9 10 11 12
arm 30 40
"""


def write(folder, text):
    path = folder / "arm.amc"
    path.write_text(text)
    return path


def test_channels(tmp_path):
    motion = read_amc(write(tmp_path, FRAMES), SKELETON)
    assert motion.tolist() == [[1, 2, 3, 4, 5, 6, 10, 20], [7, 8, 9, 10, 11, 12, 30, 40]]


def test_radians_become_degrees(tmp_path):
    degrees = read_amc(write(tmp_path, FRAMES), SKELETON)
    radians = read_amc(write(tmp_path, FRAMES.replace(":DEGREES", ":RADIANS")), SKELETON)
    torch.testing.assert_close(radians[:, :3], degrees[:, :3])
    torch.testing.assert_close(radians[:, 3:], torch.rad2deg(degrees[:, 3:]))


MALFORMED = {
    "no number": ("arm 10 20", "arm 10 x", r"line 5: got 'arm 10 x', expected 'arm' and 2 numbers"),
    "not finite": ("arm 10 20", "arm 10 inf", r"line 5: .*finite numbers"),
    "too few": ("root 1 2 3 4 5 6", "root 1 2 3 4 5", r"line 6: .*'root' and 6 numbers"),
    "too many": ("arm 10 20", "arm 10 20 30", r"line 5: .*'arm' and 2 numbers"),
    "none": ("arm 10 20", "arm", r"line 5: got 'arm', expected 2, on a line of its own"),
    "unknown": ("arm 10 20", "leg 10 20", r"line 5: .*a bone of the skeleton"),
    "twice": ("arm 10 20\nroot 1 2 3 4 5 6", "arm 10 20\narm 10 20", r"line 6: .*each once"),
    "missing": ("arm 10 20\n", "", r"line 5: .*a line for 'arm' in frame 1"),
    "skipped": ("\n2\n", "\n3\n", r"line 7: got '3', expected 2"),
    "no frame number": ("\n1\n", "\n", r"line 4: got 'arm 10 20', expected the number of the first frame"),
    "no unit": (":DEGREES\n", "", r"expected one line :DEGREES or :RADIANS"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_lines_are_named(tmp_path, case):
    old, new, message = MALFORMED[case]
    assert old in FRAMES
    with pytest.raises(ValueError, match=r"arm\.amc.*" + message):
        read_amc(write(tmp_path, FRAMES.replace(old, new, 1)), SKELETON)


def test_no_frames(tmp_path):
    with pytest.raises(ValueError, match="holds no frames"):
        read_amc(write(tmp_path, ":DEGREES\n"), SKELETON)
