"""Text files are read by line, and downloads packed, the same bytes each time."""

import gzip

import pytest

from learnsym.data.files import digest
from learnsym.data.text import compress, read_lines


def test_lines_know_where_they_are(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one 1\r\n\r\ntwo x\r\n")
    lines = read_lines(path)
    assert [line.number for line in lines] == [1, 2, 3] and lines[0].words == ["one", "1"]
    assert lines[0].floats(lines[0].words[1:], "a number") == [1.0]
    with pytest.raises(ValueError, match=r"a\.txt, line 3: got 'two x', expected a number, finite numbers"):
        lines[2].floats(lines[2].words[1:], "a number")


def test_packing(tmp_path):
    plain, first, second = (tmp_path / name for name in ("plain", "first.gz", "second.gz"))
    plain.write_bytes(bytes(range(256)) * 100)
    compress(plain, first)
    compress(plain, second)
    assert first.read_bytes() == second.read_bytes() and gzip.decompress(first.read_bytes()) == plain.read_bytes()
    assert digest(first, "gzip") == digest(plain, "raw")
