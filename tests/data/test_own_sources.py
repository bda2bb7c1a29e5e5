"""One table of layouts: each enters with its shapes and labels, and gives one sentence when something is wrong."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from learnsym.data import DataConfig, load_splits

N = 24
RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (N, 12, 10, 3)).astype(np.uint8)
GREY = COLOUR[..., 0]
CUBES = RANDOM.integers(0, 256, (N, 6, 6, 6)).astype(np.uint8)
CLOUDS = RANDOM.normal(size=(N, 7, 3)).astype(np.float32)
UNCLEAR = RANDOM.random((N, 3, 32, 3), dtype=np.float32)
Y = np.arange(N) % 3
NAMES = np.array(["cat", "dog", "eel"])[Y]


@dataclass(frozen=True)
class Source:
    """A way to keep data, and what must come of it."""

    name: str
    of: str
    """What `data.name` is, within the folder."""
    write: Callable[[Path], None]
    shape: tuple[int, ...]
    classes: int = 3
    options: dict = field(default_factory=dict)
    needs: str = ""


def npz(**arrays):
    return lambda folder: np.savez(folder / "d.npz", **arrays)


def npy(**arrays):
    def write(folder):
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)

    return write


def save_picture(folder, number, mode="RGB", ending="png", size=None):
    image = Image.fromarray(COLOUR[number]).convert(mode)
    folder.mkdir(parents=True, exist_ok=True)
    (image if size is None else image.resize(size)).save(folder / f"{number:02}.{ending}")


def pictures(mode="RGB", ending="png", splits=False):
    def write(folder):
        for number in range(N):
            parts = [("train", "validation", "test")[number // 8]] if splits else []
            save_picture(folder.joinpath("pets", *parts, NAMES[number]), number, mode, ending)

    return write


def deep_pictures(folder):
    for number in range(N):
        place = folder / "pets" / NAMES[number]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY[number].astype(np.uint16) * 257).save(place / f"{number}.png")


def mixed_sizes(folder):
    for number in range(N):
        save_picture(folder / "pets" / NAMES[number], number, size=(16, 12 + number % 3))


def table(header=("path", "label"), label=lambda number: NAMES[number], sep=","):
    def write(folder):
        pictures()(folder)
        with open(folder / "t.csv", "w", newline="") as stream:
            writer = csv.writer(stream, delimiter=sep)
            writer.writerow(header)
            writer.writerows([f"pets/{NAMES[i]}/{i:02}.png", label(i)] for i in range(N))

    return write


def scans(shape=lambda number: (6, 7, 8)):
    def write(folder):
        import nibabel

        for number in range(N):
            place = folder / "heads" / NAMES[number]
            place.mkdir(parents=True, exist_ok=True)
            volume = np.full(shape(number), number, np.float32)
            nibabel.save(nibabel.Nifti1Image(volume, np.diag([1.0, 1.0, 2.0, 1.0])), place / f"{number:02}.nii.gz")

    return write


def xyz(energy="energy", forces="forces", sizes=lambda number: 3, units=""):
    def write(folder):
        frames = []
        for number in range(N):
            atoms = ["O", "H", "H", "H"][: sizes(number)]
            rows = [f"{each} {i} {number / 10} 0 0 0 {i / 5}" for i, each in enumerate(atoms)]
            about = f'{energy}=-{number}.5 Properties=species:S:1:pos:R:3:{forces}:R:3 pbc="F F F" {units}'
            frames.append("\n".join([str(len(atoms)), about.strip(), *rows]))
        (folder / "m.xyz.gz").write_bytes(gzip.compress("\n".join(frames).encode()))

    return write


def code(body):
    text = "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
    text += f"X, Y = torch.rand({N}, 3, 12, 10, generator=torch.Generator().manual_seed(0)), torch.arange({N}) % 3\n"
    return lambda folder: (folder / "load.py").write_text(f"{text}def make():\n    {body}\n")


MINUTE = {"x_train": COLOUR, "y_train": Y, "x_test": COLOUR[:6], "y_test": Y[:6]}
MEDICAL = {
    f"{split}_{kind}": v
    for split in ("train", "val", "test")
    for kind, v in (("images", CUBES), ("labels", Y[:, None]))
}
IMAGE = (3, 12, 10)
SOURCES = [
    Source("npz (N, H, W, C)", "d.npz", npz(x=COLOUR, y=Y), IMAGE),
    Source("npz (N, C, H, W)", "d.npz", npz(images=COLOUR.transpose(0, 3, 1, 2), labels=Y), IMAGE),
    Source("npz (N, H, W)", "d.npz", npz(data=GREY, target=Y), (1, 12, 10)),
    Source("npz (N, H, W, 1)", "d.npz", npz(x=GREY[..., None], y=Y), (1, 12, 10)),
    Source("npz floats", "d.npz", npz(x=COLOUR / 255.0, y=Y), IMAGE),
    Source("npz of splits", "d.npz", npz(**MINUTE), IMAGE),
    Source("npz as MedMNIST", "d.npz", npz(**MEDICAL), (1, 6, 6, 6)),
    Source(
        "npz of other names", "d.npz", npz(pixels=COLOUR, kinds=Y, ids=Y), IMAGE, options={"x": "pixels", "y": "kinds"}
    ),
    Source("npz ambiguous", "d.npz", npz(x=UNCLEAR, y=Y), (3, 3, 32), options={"layout": "nhwc"}),
    Source("npz table", "d.npz", npz(x=GREY[:, 0].astype(float), y=Y), (10,)),
    Source("npz clouds", "d.npz", npz(x=CLOUDS, y=CLOUDS), (7, 3), 0, {"layout": "cloud"}),
    Source("npz (N, 1) labels", "d.npz", npz(x=COLOUR, y=Y[:, None]), IMAGE),
    Source("npz one-hot", "d.npz", npz(x=COLOUR, y=np.eye(3)[Y]), IMAGE),
    Source("npz names", "d.npz", npz(x=COLOUR, y=NAMES), IMAGE),
    Source("npz numbers", "d.npz", npz(x=COLOUR, y=Y / 7), IMAGE, 0),
    Source("npz any labels", "d.npz", npz(x=COLOUR, y=10 * Y + 5), IMAGE, options={"targets": "names"}),
    Source("npy pair", "images.npy", npy(images=COLOUR, labels=Y), IMAGE),
    Source("folder of npy", "./", npy(x=COLOUR, y=Y), IMAGE),
    Source("folder of PNG", "pets", pictures(), IMAGE),
    Source("folder of JPEG", "pets", pictures(ending="jpg"), IMAGE),
    Source("folder of grey BMP", "pets", pictures("L", "bmp"), (1, 12, 10)),
    Source("folder of palettes", "pets", pictures("P"), IMAGE),
    Source("folder of RGBA", "pets", pictures("RGBA"), IMAGE),
    Source("folder of TIFF in splits", "pets", pictures(ending="tif", splits=True), IMAGE),
    Source("folder of 16 bits", "pets", deep_pictures, (1, 12, 10)),
    Source("folder of mixed sizes", "pets", mixed_sizes, (3, 8, 8), options={"size": 8}),
    Source("csv", "t.csv", table(), IMAGE),
    Source("csv with semicolons", "t.csv", table(sep=";"), IMAGE),
    Source("csv of numbers", "t.csv", table(label=lambda i: i / 7), IMAGE, 0),
    Source("csv of other names", "t.csv", table(("scan_no", "kind")), IMAGE, options={"x": "scan_no", "y": "kind"}),
    Source("NIfTI by class", "heads", scans(), (1, 8, 7, 6), needs="nibabel"),
    Source("xyz", "m.xyz.gz", xyz(), (3, 5), 0, needs="ase"),
    Source(
        *("xyz of other keys", "m.xyz.gz", xyz("E", "F"), (3, 5), 0),
        options={"energy": "E", "forces": "F", "units": "kcal/mol/Angstrom"},
        needs="ase",
    ),
    Source("function: tensors", "load.py:make", code("return X, Y"), IMAGE),
    Source("function: arrays", "load.py:make", code("return X.permute(0, 2, 3, 1).numpy(), Y.numpy()"), IMAGE),
    Source(
        "function: splits", "load.py:make", code("return {'train': (X, Y), 'valid': (X, Y), 'test': (X, Y)}"), IMAGE
    ),
    Source("function: data set", "load.py:make", code("return TensorDataset(X, Y)"), IMAGE),
    Source("function: loader", "load.py:make", code("return DataLoader(TensorDataset(X, Y), batch_size=5)"), IMAGE),
    Source("function: two inputs", "load.py:make", code("return {'image': X, 'age': X[:, 0, 0, 0]}, Y"), IMAGE),
    Source("function: moves", "load.py:make", code("return (Y / 2, X), Y"), IMAGE, options={"moves": "1"}),
]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path / "cache"))


def load(folder, of, options):
    return load_splits(DataConfig(name=str(folder / of), **options))


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_each_enters_everywhere_with_its_shape_and_labels(source, tmp_path):
    if source.needs:
        pytest.importorskip(source.needs)
    source.write(tmp_path)
    splits = load(tmp_path, source.of, source.options)
    train = splits.train
    assert train.in_shape == source.shape and train.classes == source.classes and train.notes
    assert torch.is_floating_point(train.moving) and all(len(part) for part in (splits.train, splits.val, splits.test))
    if source.classes:
        assert sorted(train.y.unique().tolist()) == [0, 1, 2]
    assert train.fingerprint == load(tmp_path, source.of, source.options).test.fingerprint


@dataclass(frozen=True)
class Wrong:
    """Something wrong in a source, and what the sentence says."""

    name: str
    of: str
    write: Callable[[Path], None]
    says: tuple[str, ...]
    options: dict = field(default_factory=dict)
    needs: str = ""


def damaged(write, file, change):
    def both(folder):
        write(folder)
        path = next(folder.rglob(file))
        path.write_bytes(change(path.read_bytes()))

    return both


def half(content):
    return content[: len(content) // 2]


def also(write, more):
    return lambda folder: (write(folder), more(folder))


def texts(**files):
    return lambda folder: [(folder / f"{name}.csv").write_text(text) for name, text in files.items()]


OBJECTS = np.array([{}] * N, dtype=object)
WRONG = [
    Wrong("npz wrong key", "d.npz", npz(pixels=COLOUR), ("has no array x", "--data.x NAME")),
    Wrong("npz key not there", "d.npz", npz(pixels=COLOUR), ("data.x", "'pics'", "pixels"), {"x": "pics"}),
    Wrong("npz targets without inputs", "d.npz", npz(a=Y), ("data.y", "without data.x"), {"y": "a"}),
    Wrong("npz layout to be said", "d.npz", npz(x=UNCLEAR, y=Y), ("data.layout", "nhwc")),
    Wrong("npz wrong layout", "d.npz", npz(x=COLOUR, y=Y), ("data.layout", "got nhw", "nhwc"), {"layout": "nhw"}),
    Wrong("npz clouds or images", "d.npz", npz(x=CLOUDS, y=Y), ("nhw or cloud",)),
    Wrong("npz labels from 1", "d.npz", npz(x=COLOUR, y=Y + 1), ("labels run from 1 to 3", "subtract 1", "names")),
    Wrong("npz labels below 0", "d.npz", npz(x=COLOUR, y=Y - 1), ("labels run from -1",)),
    Wrong("npz several labels", "d.npz", npz(x=COLOUR, y=np.stack([Y, Y], 1)), ("one label an example",)),
    Wrong("npz fewer labels", "d.npz", npz(x=COLOUR, y=Y[:9]), ("got 9 targets for 24",)),
    Wrong("npz other integers", "d.npz", npz(x=COLOUR.astype(np.int32), y=Y), ("got dtype torch.int32", "divide")),
    Wrong("npz truncated", "d.npz", damaged(npz(x=COLOUR, y=Y), "d.npz", half), ("d.npz cannot be read",)),
    Wrong("npz objects", "d.npz", npz(x=OBJECTS), ("pickled objects",)),
    Wrong("npz splits of other shapes", "d.npz", npz(**{**MINUTE, "x_test": COLOUR[:6, :9]}), ("different shapes",)),
    Wrong("npz not there", "d.npz", lambda folder: None, ("d.npz cannot be read", "check the path")),
    Wrong("npz too few", "d.npz", npz(x=COLOUR[:2], y=Y[:2]), ("has 2 examples, too few for 3 splits",)),
    Wrong("npz of nothing", "d.npz", npz(x=COLOUR[:0], y=Y[:0]), ("no train examples", "at least one")),
    Wrong("npz too many asked", "d.npz", npz(x=COLOUR, y=Y), ("data.train: 30", "has 24"), {"train": 30}),
    Wrong("npz not used", "d.npz", npz(x=COLOUR, y=Y), ("data.forces", "no use"), {"forces": "F"}),
    Wrong("npy truncated", "x.npy", damaged(npy(x=COLOUR, y=Y), "x.npy", half), ("x.npy cannot be read", "truncated")),
    Wrong("npy objects", "x.npy", npy(x=OBJECTS), ("pickled objects",)),
    Wrong("folder not there", "pets/", lambda folder: None, ("is not there", "folder of images by class")),
    Wrong("folder empty", "pets", lambda folder: (folder / "pets").mkdir(), ("holds no examples", ".png")),
    Wrong("folder of mixed sizes", "pets", mixed_sizes, ("data.size", "16x12", "16x14", "--data.size")),
    Wrong("folder with layout", "pets", pictures(), ("data.layout", "leave it out"), {"layout": "nhwc"}),
    Wrong(
        "unreadable picture", "pets", damaged(pictures(), "00.png", lambda c: b"no picture"), ("00.png cannot be read",)
    ),
    Wrong("truncated picture", "pets", damaged(pictures(), "05.png", half), ("05.png cannot be read",)),
    Wrong(
        *("folder with loose pictures", "pets"),
        also(pictures(), lambda folder: save_picture(folder / "pets", 0)),
        ("beside folders of classes",),
    ),
    Wrong(
        *("folder with another class in test", "pets"),
        also(pictures(splits=True), lambda folder: save_picture(folder / "pets" / "test" / "fox", 0)),
        ("class 'fox', which train has not",),
    ),
    Wrong(
        *("folder with more than splits", "pets"),
        also(pictures(splits=True), lambda folder: save_picture(folder / "pets" / "fox", 0)),
        ("holds fox beside",),
    ),
    Wrong("csv without paths", "t.csv", texts(t="a,b\n1,2\n"), ("data.x", "no column of paths")),
    Wrong("csv of missing files", "t.csv", texts(t="path,label\nno.png,1\n"), ("line 2", "no file", "relative")),
    Wrong(
        "csv without a label", "t.csv", also(pictures(), texts(t="path,label\npets/cat/00.png,\n")), ("label is empty",)
    ),
    Wrong("csv of nothing", "t.csv", texts(t="path,label\n"), ("no lines",)),
    Wrong("csv labels from 1", "t.csv", table(label=lambda i: i % 3 + 1), ("labels run from 1",)),
    Wrong(
        "NIfTI of mixed shapes", "heads", scans(lambda i: (6, 7, 8 + i % 2)), ("voxels", "resample"), needs="nibabel"
    ),
    Wrong(
        "NIfTI damaged", "heads", damaged(scans(), "07.nii.gz", half), ("07.nii.gz cannot be read",), needs="nibabel"
    ),
    Wrong("xyz without forces", "m.xyz.gz", xyz(forces="F"), ("line 2", "forces:R:3"), needs="ase"),
    Wrong(
        "xyz of several molecules",
        "m.xyz.gz",
        xyz(sizes=lambda i: 3 + i % 2),
        ("3 atoms as in the first",),
        needs="ase",
    ),
    Wrong("xyz of other units", "m.xyz.gz", xyz(units="units=kcal"), ("units eV",), needs="ase"),
    Wrong("function raises", "load.py:make", code("raise RuntimeError('no disk')"), ("raises RuntimeError: no disk",)),
    Wrong("function gives something else", "load.py:make", code("return 3"), ("got a int", "DataLoader")),
    Wrong("function of no name", "load.py:nothing", code("return X"), ("has no function 'nothing'",)),
    Wrong("function needs arguments", "load.py:make", code("pass\ndef make(n): return X"), ("takes n",)),
    Wrong("parts of other lengths", "load.py:make", code("return {'a': X, 'b': X[:5]}, Y"), ("different numbers",)),
    Wrong("a part that is none", "load.py:make", code("return {'a': X}, Y"), ("data.moves", "'b'"), {"moves": "b"}),
    Wrong("splits without train", "load.py:make", code("return {'val': (X, Y)}"), ("must have train",)),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.name for wrong in WRONG])
def test_something_wrong_gives_one_sentence(wrong, tmp_path):
    if wrong.needs:
        pytest.importorskip(wrong.needs)
    wrong.write(tmp_path)
    with pytest.raises(ValueError) as caught:
        load(tmp_path, wrong.of, wrong.options)
    message = str(caught.value)
    assert all(each in message for each in wrong.says), message
    assert "\n" not in message and len(message) < 600


def test_files_are_decoded_once_and_go_on_where_they_stopped(tmp_path, monkeypatch):
    from learnsym.data.own import cache
    from learnsym.data.own import pictures as module

    pictures()(tmp_path)
    monkeypatch.setattr(cache, "FLUSH", 4)
    decode, seen = module.pixels, []

    def stopping(path, *rest):
        if len(seen) == 10:
            raise KeyboardInterrupt
        seen.append(path.name)
        return decode(path, *rest)

    monkeypatch.setattr(module, "pixels", stopping)
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, "pets", {})
    seen.clear()
    monkeypatch.setattr(module, "pixels", lambda path, *rest: (seen.append(path.name), decode(path, *rest))[1])
    splits = load(tmp_path, "pets", {})
    assert len(seen) == N - 8
    load(tmp_path, "pets", {"seed": 1})
    assert len(seen) == N - 8
    found = {image.mul(255).round().byte().numpy().tobytes() for part in vars(splits).values() for image in part.x}
    assert found == {image.transpose(2, 0, 1).tobytes() for image in COLOUR}


def test_a_changed_file_has_another_fingerprint(tmp_path):
    pictures()(tmp_path)
    before = load(tmp_path, "pets", {}).train.fingerprint
    save_picture(tmp_path / "pets" / "cat", 1)
    assert load(tmp_path, "pets", {}).train.fingerprint != before
