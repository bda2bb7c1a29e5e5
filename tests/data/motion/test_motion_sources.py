"""The recordings of CMU: kinematics against the published joints, splits by recording, headings."""

import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from learnsym.data.archives import members_digest
from learnsym.data.files import digest
from learnsym.data.motion import (
    SOURCES,
    bone_lengths,
    egno,
    heading_statistics,
    headings,
    joint_positions,
    layout,
    read_amc,
    read_asf,
    recordings,
    run_recordings,
)
from learnsym.data.motion.egno import convert
from learnsym.data.motion.walk import TRIALS, WALKS

FOLDER = Path(os.environ.get("LEARNSYM_DATA", "")) / "cmu-mocap"
with_data = [
    pytest.mark.data,
    pytest.mark.skipif(not all(source.present for source in SOURCES), reason="set LEARNSYM_DATA"),
]


def has(*names):
    if not all((FOLDER / name).is_file() for name in names):
        pytest.skip(f"{names} not in LEARNSYM_DATA")


def data(test):
    for mark in with_data:
        test = mark(test)
    return test


@data
def test_kinematics_against_other_kinematics():
    has("35.asf.gz", "35_01.amc.gz", "cmu35_01_xyz_120hz.npz")
    skeleton = read_asf(FOLDER / "35.asf.gz")
    positions = joint_positions(skeleton, read_amc(FOLDER / "35_01.amc.gz", skeleton))
    with np.load(FOLDER / "cmu35_01_xyz_120hz.npz") as known:
        assert skeleton.joints == tuple(known["joints"]) and skeleton.parents == tuple(known["parents"])
        expected = torch.from_numpy(known["pos"]).double() * skeleton.metres
    torch.testing.assert_close(positions, expected, rtol=0.0, atol=1e-6)
    lengths = bone_lengths(positions, skeleton.parents)
    resting = torch.tensor([bone.offset for bone in skeleton.bones[1:]], dtype=torch.float64).norm(dim=-1)
    torch.testing.assert_close(lengths, (resting * skeleton.metres).expand_as(lengths))


@data
def test_walk_against_other_kinematics():
    has("cmu35_xyz_30hz.npz")
    found = recordings()
    with np.load(FOLDER / "cmu35_xyz_30hz.npz") as known:
        for part in ("", "_test"):
            for trial in np.unique(known[f"seq{part}"]):
                expected = torch.from_numpy(known[f"pos{part}"][known[f"seq{part}"] == trial]).double()
                expected *= float(known["metres_per_unit"])
                torch.testing.assert_close(found[int(trial)], expected, rtol=0.0, atol=3e-6)


def test_walk_is_split_by_recording():
    assert sorted(sum(TRIALS.values(), ())) == sorted(WALKS) and len(WALKS) == 23
    assert [len(TRIALS[split]) for split in ("train", "val", "test")] == [11, 6, 6]


@data
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_pools(source):
    pools = source.read(source.sizes, 0)
    for split, wanted in zip(("train", "val", "test"), source.sizes, strict=True):
        x, y = pools[split].x, pools[split].y
        assert x.shape == (len(y), 31, layout(31).features) and y.shape == (len(x), 31, 3)
        assert wanted <= len(x)
        assert x[..., 1].min() > -0.3 and x[..., 1].max() < 2.1  # y is up, in metres
    assert source.resize(pools["train"], None) is pools["train"]
    with pytest.raises(ValueError, match=rf"data.size: got 28, {source.name} holds points"):
        source.resize(pools["train"], 28)


@data
def test_all_walk_and_run_along_z():
    for source, most in zip(SOURCES, (3.0, 9.0, 3.3), strict=True):
        for pool in source.read(source.sizes, 0).values():
            found = heading_statistics(headings(pool.x, pool.y))
            assert abs(found.mean) < 0.5 and -most < found.low and found.high < most
    whole = torch.cat([headings(each[:1, :1], each[-1:, :1]) for each in run_recordings()])
    assert len(whole) == 11 and whole.abs().max() < 0.75


@data
def test_run_has_the_published_splits():
    pools = SOURCES[2].read(SOURCES[2].sizes, 0)
    assert [len(pools[split]) for split in ("train", "val", "test")] == [400, 240, 240]
    speed = (pools["train"].y - pools["train"].x[..., :3]).mean(1).norm(dim=-1) / 0.25
    assert 3.0 < speed.mean() < 4.0


def archive(folder, **members):
    path = folder / "egno.zip"
    with zipfile.ZipFile(path, "w") as content:
        for name, value in members.items():
            content.writestr(f"EGNO-1/motion/dataset/{name}.pkl", pickle.dumps(value))
    return path


def checksum(path):
    with zipfile.ZipFile(path) as content:
        return members_digest({name.partition("/")[2]: content.read(name) for name in content.namelist()})


def test_build_makes_arrays_of_pickles(tmp_path):
    sequences = [np.random.rand(length, 31, 3) for length in (5, 7)]
    split = tuple({k: np.array([2, 0, 1])} for k in (0, 1, 1))
    path = archive(tmp_path, motion_run=([(1, 0), (2, 1)], sequences), split_run=split)
    target = tmp_path / "made.npz"
    convert(path, target, checksum(path))
    with np.load(target) as made:
        assert np.array_equal(made["pos"], np.concatenate(sequences)) and made["seq_len"].tolist() == [5, 7]
        assert made["split_test"].tolist() == [[1, 2], [1, 0], [1, 1]] and made["edges"].tolist() == [[1, 0], [2, 1]]
    assert len(digest(target, "npz")) == 64


def test_build_refuses_pickles_that_call_functions(tmp_path):
    path = archive(tmp_path, motion_run=os.getcwd, split_run=())
    with pytest.raises(ValueError, match=r"not the archive of EGNO .*only arrays are let through"):
        convert(path, tmp_path / "made.npz", checksum(path))


def test_build_reads_no_pickle_before_its_checksum(tmp_path, monkeypatch):
    path = archive(tmp_path, motion_run=([], []), split_run=())
    monkeypatch.setattr(egno.ArrayUnpickler, "load", lambda self: pytest.fail("was read"))
    with pytest.raises(ValueError, match="members are not the published ones"):
        convert(path, tmp_path / "made.npz")


def test_build_refuses_other_archives(tmp_path):
    (tmp_path / "page.html").write_text("not found")
    for path in (archive(tmp_path, other=1), tmp_path / "page.html"):
        with pytest.raises(ValueError, match="not the published"):
            convert(path, tmp_path / "made.npz")


def test_missing_files_tell_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.delenv("LEARNSYM_DATA", raising=False)
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path))
    for source in SOURCES:
        name = source.name.replace("-short", "")
        with pytest.raises(ValueError, match=f"the files of {name} are missing; run `learnsym data fetch {name}`"):
            source.read(source.sizes, 0)
        assert all(file.urls and replace(file).sha256 for file in source.files)
