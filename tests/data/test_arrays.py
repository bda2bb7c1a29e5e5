"""Files of arrays that somebody else has written: one rule for inputs, labels of any kind, clear refusals."""

import zipfile

import numpy as np
import pytest
import torch

from learnsym.data import Dataset
from learnsym.data.arrays import read_arrays
from learnsym.data.room import check_room

X = np.random.default_rng(0).random((6, 1, 4, 4), dtype=np.float32)
Y = np.arange(6) % 3


@pytest.fixture
def saved(tmp_path):
    """Writes arrays, and gives the path."""

    def save(compressed=False, **arrays):
        path = tmp_path / "data.npz"
        (np.savez_compressed if compressed else np.savez)(path, **arrays)
        return path

    return save


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (X, X),
        (X.astype(np.float64), X),
        (X.astype(">f4"), X),
        (np.asfortranarray(X), X),
        (3 * X - 1, 3 * X - 1),
        ((X * 255).astype(np.uint8), (X * 255).astype(np.uint8) / np.float32(255)),
        (X > 0.5, (X > 0.5).astype(np.float32)),
    ],
    ids=["float32", "float64", "big endian", "Fortran", "standardised", "uint8", "bool"],
)
def test_one_rule_for_inputs(saved, x, expected):
    read, y = read_arrays(saved(x=x))
    assert read.dtype == torch.float32 and y is None
    np.testing.assert_allclose(read.numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "complex64"])
def test_inputs_of_unknown_range_are_refused_by_files_and_by_datasets(saved, kind):
    x = (10 * X).astype(kind)
    with pytest.raises(ValueError, match="x: got dtype"):
        read_arrays(saved(x=x))
    with pytest.raises(ValueError, match="x: got dtype"):
        Dataset(torch.from_numpy(x), torch.zeros(6))


def test_datasets_take_masks():
    mask = torch.from_numpy(X > 0.5)
    assert torch.equal(Dataset(mask, torch.zeros(6)).inputs, mask.float())


@pytest.mark.parametrize("y", [Y, Y[:, None], Y.astype(np.uint8)[:, None], Y.astype(np.int8), Y.astype(np.uint16)])
def test_labels_of_any_integer_kind(saved, y):
    assert torch.equal(read_arrays(saved(x=X, y=y))[1], torch.from_numpy(Y))


def test_real_targets_keep_their_shape(saved):
    assert read_arrays(saved(x=X, y=Y[:, None].astype(float)))[1].shape == (6, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": X}, "has no array x"),
        ({"x": np.float32(3)}, "x: got a single number"),
        ({"x": X[:0]}, "empty"),
        ({"x": X[:, :0]}, "empty"),
        ({"x": np.array(["a", "b"])}, "must be numbers"),
        ({"x": np.array([{}], dtype=object)}, "cannot be read"),
        ({"x": X.astype(np.float64) * 1e300}, "contains NaN or infinity"),
        ({"x": X, "y": Y[:4]}, "got 4 targets for 6 inputs"),
        ({"x": X, "y": np.int64(1)}, "got a single number for 6 inputs"),
        ({"x": X, "y": Y * 1j}, "must be real"),
        ({"x": X, "y": np.where(Y == 2, np.nan, 1.0)}, "y: contains NaN or infinity, first in example 2"),
        ({"x": X, "y": np.array(list("abcdef"))}, "number the classes from 0"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(saved, arrays, message):
    with pytest.raises(ValueError, match=message):
        read_arrays(saved(**arrays))


def test_an_example_that_is_not_finite_is_named_by_its_row(saved):
    x = X.copy()
    x[4, 0, 1, 1] = np.inf
    with pytest.raises(ValueError, match=r"data\.npz, x: contains NaN or infinity, first in example 4"):
        read_arrays(saved(x=x))


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_are_refused(saved, compressed):
    path = saved(compressed, x=X, y=Y)
    whole = path.read_bytes()
    damaged = [b"", whole[:1], whole[: len(whole) // 2], whole[:-4], b"no archive", whole[100:]]
    middle = len(whole) // 2 if compressed else 200  # within the numbers
    damaged.append(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be read"):
            read_arrays(path)


def test_a_small_file_that_unpacks_to_more_than_the_memory_is_refused(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999, 2), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ValueError, match=r"99999999999999 x 2 numbers need .* this machine has .* save fewer examples"):
        read_arrays(tmp_path / "data.npz")


def test_room():
    check_room("size", (3, 4), 4, "choose less")
    with pytest.raises(ValueError, match=r"size: 2 x 1000000000000 numbers need 7,451 GiB, .*; choose less"):
        check_room("size", (2, 10**12), 4, "choose less")
