"""YAML: every key once, numbers as in YAML 1.2, and bounds that hold before anything is built."""

from __future__ import annotations

import math

import pytest

from learnsym._yaml_file import LARGEST, BadYaml, load_yaml, read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = {
    "optimiser: {lr: 1}\ntrain: {}\noptimiser: {clip: 1}": "optimiser: stands twice, in line 1 and line 3",
    "optimiser:\n  lr: 1\n  clip: 1\n  lr: 2": r"optimiser\.lr: stands twice, in line 2 and line 4",
    "a: {b: 1, c: 2,\n 'b': 3}": r"a\.b: stands twice, in line 1 and line 2",
    "a: [{b: 1}, {c: 1,\n c: 2}]": r"a\.c: stands twice, in line 1 and line 2",
    "a: &a {x: 1, x: 2}\nb: *a": r"a\.x: stands twice",
    "a: &a {x: 1}\nb: {<<: *a,\n <<: *a}": r"b\.<<: stands twice, in line 2 and line 3",
    BOMB: "aliases counted in full",
    "[" * 10_000: "inside each other",
    "- " * 10_000: "inside each other",
    "a: &a [*a]": "for itself",
    "a: *b": "nothing before it",
    "a: !!python/object/apply:os.system [x]": "the tag .*os.system is not read",
    "a: !!int x": "the tag .*int is not read",
    "1: 2": "the key 1 is no text; put it in quotes",
    "true: 2": "the key true is no text",
    "? [a]\n: 1": "the key a list or mapping is no text",
    "a:\n\tb: 1": "line 2: .*this is not YAML",
    "a: 1\n---\nb: 1": "single document",
    "a: \0": "control characters",
    "a: 1:30": "1:30 is text or a time",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_refused(text):
    with pytest.raises(BadYaml, match=BAD[text]):
        load_yaml(text)


def test_a_merged_key_may_be_replaced():
    assert load_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}")["b"] == {"x": 3, "y": 2}


def test_numbers_and_words():
    texts = {
        "1e-3": 0.001,
        "5.": 5.0,
        "-7": -7,
        "0x10": 16,
        "1.5E+3": 1500.0,
        ".inf": math.inf,
        "true": True,
        "~": None,
    }
    assert {text: load_yaml(f"a: {text}")["a"] for text in texts} == texts
    for word in ("yes", "on", "Off", "n", "010", "'1:30'", "1_000", "2020-01-01", "e5", "'1e3'", "=", "9" * 5000):
        assert load_yaml(f"a: {word}")["a"] == word.strip("'")


def test_files(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_yaml(path, "config") == {"a": 1}
    path.write_bytes(b"")
    assert read_yaml(path, "config") is None
    for content, named in ((b"\xff\xfe", "byte 0 is no UTF-8 text"), (b"#" * (LARGEST + 1), "more than")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^config: .*a.yaml is not read .*{named}"):
            read_yaml(path, "config")
    for other, named in ((tmp_path, "it is a folder"), (tmp_path / "b", "does not exist"), ("x" * 300, "too long")):
        with pytest.raises(ValueError, match=f"^space: .*{named}"):
            read_yaml(other, "space")
