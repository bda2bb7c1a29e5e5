"""Examples that stay in a file: they are what the same examples in memory are, and memory stays bounded."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from learnsym.data import Batches, DataConfig, Rows, load_splits, npy_stretch
from learnsym.data.own import npy
from learnsym.objectives import choosers
from learnsym.training import RunConfig, train
from learnsym.training.config import TrainConfig
from learnsym.training.evaluate import predict

X = np.random.default_rng(0).integers(0, 256, (60, 12, 12, 3)).astype(np.uint8)
Y = np.arange(60) % 3


@pytest.fixture
def rows(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return Rows(npy_stretch(tmp_path / "x.npy"))


@pytest.mark.parametrize(
    "index", [3, -1, slice(None), slice(5, 40, 7), torch.tensor([4, 2, 2, 59]), torch.arange(60) % 2 == 0]
)
def test_indices_are_those_of_a_tensor(rows, index):
    assert torch.equal(rows[index], torch.from_numpy(X)[index])


def test_it_answers_as_a_tensor_does(rows):
    whole = torch.from_numpy(X)
    some = torch.tensor([7, 3, 50])
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (60, whole.shape, 4, torch.uint8)
    assert torch.equal(rows.subset(some)[:], whole[some]) and torch.equal(rows.index_select(0, some), whole[some])
    assert torch.equal(torch.cat(list(rows.split(25))), whole)
    halved = rows.then(torch.Tensor.float).then(lambda x: x[:, ::2] / 2).to("cpu")
    assert halved.shape == (60, 6, 12, 3) and torch.equal(halved[some], whole[some][:, ::2].float() / 2)


@pytest.mark.parametrize("kind", [">f4", "<f8", "|b1", "<f2"])
def test_numbers_of_any_kind(tmp_path, kind):
    array = X[..., 0].astype(kind)
    np.save(tmp_path / "x.npy", array)
    read = Rows(npy_stretch(tmp_path / "x.npy"))[torch.tensor([5, 1])]
    np.testing.assert_array_equal(read.numpy(), array[[5, 1]].astype(array.dtype.newbyteorder("=")))


def test_a_row_that_is_not_finite_is_named_when_it_is_read(tmp_path):
    array = X.astype(np.float32)
    array[33, 0, 0, 0] = np.nan
    np.save(tmp_path / "x.npy", array)
    rows = Rows(npy_stretch(tmp_path / "x.npy"))
    rows[:33]
    with pytest.raises(ValueError, match=r"x: contains NaN or infinity in row 33 of x\.npy"):
        rows[torch.tensor([2, 33])]


def test_a_file_that_has_become_shorter_is_named(rows):
    path = rows.stretch.path
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"x\.npy ends too early"):
        rows[50:]


def save(folder, kind):
    if kind == "npy":
        np.save(folder / "x.npy", X)
        np.save(folder / "y.npy", Y)
        return folder / "x.npy"
    (np.savez if kind == "npz" else np.savez_compressed)(folder / "d.npz", x=X, y=Y)
    return folder / "d.npz"


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed npz"])
def test_large_files_give_the_same_examples_as_small_ones(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path / "cache"))
    config = DataConfig(name=str(save(tmp_path, kind)), size=8)
    small = load_splits(config)
    monkeypatch.setattr(npy, "IN_MEMORY", 1000)
    large = load_splits(config)
    for part, other in zip(vars(small).values(), vars(large).values(), strict=True):
        assert isinstance(other.x, Rows) and isinstance(part.x, torch.Tensor)
        assert torch.allclose(part.x, other.x[:]) and torch.equal(part.y, other.y)
    ours, theirs = (Batches(splits.train, 8, seed=3)[2] for splits in (small, large))
    assert torch.allclose(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 3))
    assert torch.allclose(predict(net, small.val.inputs, 4), predict(net, large.val.inputs, 4), atol=1e-6)


def test_a_planted_symmetry_needs_examples_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "IN_MEMORY", 1000)
    path = save(tmp_path, "npy")
    from learnsym.data import PlantConfig

    with pytest.raises(ValueError, match=r"data\.plant: .* stay in their file"):
        load_splits(DataConfig(name=str(path), plant=PlantConfig(rotation=10.0)))


def test_a_run_trains_on_rows_and_notices_that_the_file_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "IN_MEMORY", 1000)
    data = DataConfig(name=str(save(tmp_path, "npy")))
    training = choosers.TrainingLoss()
    config = RunConfig(data=data, chooser=training, train=TrainConfig(steps=2, batch_size=8, device="cpu"))
    (run,) = train(config, tmp_path / "run")
    assert run.is_finished and run.splits().train.x.shape[1:] == (3, 12, 12)
    np.save(tmp_path / "y.npy", Y[::-1])
    run.forget()
    with pytest.raises(ValueError, match=r"data\.name: the files of x\.npy have changed since the run in"):
        train(config, tmp_path / "run")


def test_forty_gigabytes_are_trained_on_with_bounded_memory(tmp_path):
    count = 40 * 2**30 // (64 * 64 * 3)
    header = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": (count, 64, 64, 3)}
    np.lib.format.write_array_header_2_0(header, about)
    with open(tmp_path / "x.npy", "wb") as stream:
        stream.write(header.getvalue())
        stream.truncate(len(header.getvalue()) + 40 * 2**30)
    np.save(tmp_path / "y.npy", np.arange(count) % 3)
    script = f"""
        import resource, torch
        torch.set_num_threads(1)
        from learnsym.data import DataConfig
        from learnsym.nets.config import NetConfig
        from learnsym.training import RunConfig, train
        from learnsym.training.config import TrainConfig
        data = DataConfig(name={str(tmp_path / "x.npy")!r}, val=8, test=8)
        config = RunConfig(data=data, net=NetConfig(name="cnn", width=2),
                           train=TrainConfig(steps=2, batch_size=8, device="cpu"), twin="plain")
        (run,) = train(config, {str(tmp_path / "run")!r})
        assert run.is_finished
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) < 2**21  # kibibytes: 2 GiB
