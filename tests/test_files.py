"""Files are whole or absent, and what cannot be read is said in one sentence."""

import errno
import math
import os
import resource
from contextlib import contextmanager

import pytest

from learnsym.files import (
    FULL,
    check_folder,
    check_name,
    put_in_place,
    read_json,
    replacing,
    write_atomically,
    write_json,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def full_disk(monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


def test_new_content_replaces_the_old(tmp_path):
    path = tmp_path / "a.bin"
    for content in (b"one", b"two"):
        write_atomically(path, content)
        assert path.read_bytes() == content and names(tmp_path) == ["a.bin"]


def test_a_full_disk_leaves_the_old_content(tmp_path, full_disk):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.bin"]


@contextmanager
def small_files():
    """No file may have more than a thousand bytes; not a fixture, since pytest writes to its log before those end."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def replaced(path, content):
    with replacing(path) as temporary:
        temporary.write_text(content)


WAYS = {"bytes": lambda path, text: write_atomically(path, text.encode()), "json": write_json, "replacing": replaced}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_finds_no_space_is_named_with_the_remedy(tmp_path, way):
    path = tmp_path / "a.json"
    path.write_text("old")
    with small_files(), pytest.raises(OSError, match="File too large") as caught:
        WAYS[way](path, "x" * 5000)
    assert caught.value.errno in FULL and caught.value.filename == str(path)
    assert caught.value.strerror == (
        "the file could not be written (File too large); free space, then give the same command again"
    )
    assert path.read_text() == "old" and names(tmp_path) == ["a.json"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(
        PermissionError, match=r"Permission denied\); make its folder one that can be written"
    ) as caught:
        write_json(tmp_path / "a.json", {})
    assert caught.value.filename == str(tmp_path / "a.json") and names(tmp_path) == []


def test_errors_that_are_not_of_the_disk_stay_as_they_are(tmp_path):
    with pytest.raises(KeyError, match="own"), replacing(tmp_path / "a"):
        raise KeyError("own")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", r"holds \[\], must be an object"),
        ('{"a": 1}', "lacks 'b'"),
        ('{"a": true, "b": ""}', "'a' is True, must be int or null"),
        ('{"a": 1.5, "b": ""}', "'a' is 1.5, must be int or null"),
        ('{"a": null, "b": 3}', "'b' is 3, must be str"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_keys_and_kinds_are_checked(tmp_path, content, reason):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"^run: .*a\.json cannot be read \(.*{reason}.*\); delete it$"):
        read_json(path, "run", "delete it", {"a": (int, type(None)), "b": str})
    path.write_text('{"a": null, "b": ""}')
    assert read_json(path, "run", "delete it", {"a": (int, type(None)), "b": str}) == {"a": None, "b": ""}


@pytest.mark.parametrize("name", ["", "  ", "a" * 81, "a\nb", "a\x00", "a/b", "a\\b", "\u202ea", 3, None])
def test_names_that_fit_no_figure_or_file_are_refused(name):
    with pytest.raises(ValueError, match=r"^arms: got the name .*, must be 1 to 80 printable .*; choose another name$"):
        check_name(name, "arms")
    for good in ("a" * 80, "$x^{2$", "_", "augmented, 30°", "形"):
        check_name(good, "arms")


def test_several_may_make_one_file(tmp_path):
    path = tmp_path / "a.npy"
    with replacing(path) as first, replacing(path) as second:
        assert first != second and {first.suffix, second.suffix} == {".npy"}
        first.write_text("first")
        second.write_text("second")
        assert not path.exists()
    assert path.read_text() == "first" and names(tmp_path) == ["a.npy"]


def test_an_error_on_the_way_leaves_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_file_and_folder_reach_the_disk_in_turn(tmp_path, monkeypatch):
    events, sync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: events.append("sync") or sync(descriptor))
    monkeypatch.setattr(os, "replace", lambda *paths: events.append("replace") or replace(*paths))
    (tmp_path / "part").write_text("content")
    put_in_place(tmp_path / "part", tmp_path / "whole")
    assert events == ["sync", "replace", "sync"] and names(tmp_path) == ["whole"]


def test_json_comes_back(tmp_path):
    path, content = tmp_path / "a.json", {"a": [1, None, "é"]}
    for indent in (None, 2):
        write_json(path, content, indent=indent)
        assert read_json(path, "path", "write it") == content and path.read_bytes().endswith(b"}\n")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, math.nan, allow_nan=False)
    assert read_json(path, "path", "write it") == content


@pytest.mark.parametrize("content", [None, b"{", b"\xff", b"[1]"])
def test_what_is_no_json_object_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^out: .*a\.json .*; delete it$"):
        read_json(path, "out", "delete it")


@pytest.mark.parametrize(
    ("name", "named"),
    [("", "got ''"), (" ", "got ' '"), ("a\nb", "got 'a"), ("x" * 256, "must be shorter"), ("file", "is a file")],
)
def test_names_that_no_folder_has(tmp_path, monkeypatch, name, named):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("text")
    for path in (name, f"{name}/run" if name.strip() else name):
        with pytest.raises(ValueError, match=f"^out: .*{named}"):
            check_folder(path)


def test_a_folder_is_not_made_by_the_check(tmp_path):
    assert check_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []
