"""Fetching, against a server on this machine: resumes, checks, and leaves nothing half-written."""

import gzip
import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

import learnsym.data as data
from learnsym.data import camvid, cifar, idx
from learnsym.data.archives import members_digest, read_members
from learnsym.data.files import EXPANSION, File, check, digest
from learnsym.data.source import Sizes, Source

CONTENT = bytes(range(256)) * 2000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content`, with ranges unless told not to; stops early when told to."""

    def do_GET(self):
        content, start = self.server.content, 0
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        if self.path == "/missing":
            return self.send_error(404)
        if asked and self.server.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if self.server.says_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = self.server.stop_after.pop(0) if self.server.stop_after else len(content)
        self.wfile.write(content[start : start + stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.says_length = True
        running.content, running.ranges, running.stop_after, running.asked = CONTENT, True, [], []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("LEARNSYM_DATA", raising=False)
    monkeypatch.setenv("LEARNSYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def offer(monkeypatch, *urls, **options):
    """A data set `toy` of one file at these addresses."""
    file = File(path="toy/x.bin", sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT), urls=urls)
    files = (replace(file, **options),)
    source = Source(name="toy", title="toy", licence="none", sizes=Sizes(1, 1, 1), read=lambda *_: {}, files=files)
    monkeypatch.setitem(data.registry, "toy", source)


def address(server, path="/x.bin"):
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_fetch_once(server, cache, monkeypatch):
    offer(monkeypatch, address(server))
    assert not data.registry["toy"].present
    (path,) = data.fetch("toy")
    assert path.read_bytes() == CONTENT and files_in(cache) == ["x.bin"]
    assert data.registry["toy"].present and data.verify("toy") == [path]
    data.fetch("toy")
    assert len(server.asked) == 1


def test_next_source_when_the_first_fails(server, cache, monkeypatch):
    offer(monkeypatch, address(server, "/missing"), address(server))
    assert data.fetch("toy")[0].read_bytes() == CONTENT


def test_resume(server, cache, monkeypatch):
    offer(monkeypatch, address(server))
    server.stop_after = [1000]
    with pytest.raises(ValueError, match="it resumes"):
        data.fetch("toy")
    assert files_in(cache) == ["x.bin.part"]
    assert data.fetch("toy")[0].read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=1000-" and files_in(cache) == ["x.bin"]


def test_resume_of_a_complete_download(server, cache, monkeypatch):
    offer(monkeypatch, address(server))
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "x.bin.part").write_bytes(CONTENT)
    assert data.fetch("toy")[0].read_bytes() == CONTENT


def test_server_without_ranges_starts_over(server, cache, monkeypatch):
    offer(monkeypatch, address(server))
    server.ranges = False
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "x.bin.part").write_bytes(CONTENT[:500])
    assert data.fetch("toy")[0].read_bytes() == CONTENT


def test_wrong_content_is_deleted(server, cache, monkeypatch):
    offer(monkeypatch, address(server))
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(ValueError, match="something else than the published file"):
        data.fetch("toy")
    assert files_in(cache) == []


@pytest.mark.parametrize("length", [True, False])
def test_more_than_was_published_is_not_kept(server, cache, monkeypatch, length):
    """Whether the server says so before or not, and when a part was there already."""
    offer(monkeypatch, address(server), size=10)
    server.says_length, server.content = length, bytes(3 << 20)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"x\.bin: the source sends more than 1048596 bytes"):
            data.fetch("toy")
        assert files_in(cache) == []
        (cache / "toy" / "x.bin.part").write_bytes(bytes(2 << 20))


def test_a_source_may_not_lead_away_from_https(cache, monkeypatch):
    class Answer(io.BytesIO):
        url = "http://elsewhere/x.bin"

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(CONTENT))
    offer(monkeypatch, "https://here/x.bin")
    with pytest.raises(ValueError, match="without encryption"):
        data.fetch("toy")
    assert files_in(cache) == []


@pytest.mark.parametrize("kind", ["gzip", "npz"])
def test_bombs_are_not_unpacked(tmp_path, kind):
    path, count = tmp_path / "x", EXPANSION * 1000 + 1
    if kind == "gzip":
        path.write_bytes(gzip.compress(bytes(count)))
    else:
        with open(path, "wb") as stream:
            np.savez_compressed(stream, x=np.zeros(count, np.uint8))
    with pytest.raises(ValueError, match="more than 300000 bytes"):
        check(path, File(path="x", sha256="0" * 64, size=1000, kind=kind))


def test_members_are_checked_before_they_are_given(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("repo-1/../../outside.txt", "a")
        content.writestr("repo-1/large.txt", "b" * 1000)
    members = {"../../outside.txt": b"a"}
    assert read_members(path, members.__contains__, members_digest(members), 10) == members
    with pytest.raises(ValueError, match="not the published ones"):
        read_members(path, members.__contains__, members_digest({"../../outside.txt": b"c"}), 10)
    with pytest.raises(ValueError, match="have 1001 bytes, must be at most 1000"):
        read_members(path, lambda name: True, "", 1000)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="not the published archive"):
        read_members(path, lambda name: True, "", 1000)


def test_corrupt_file_is_replaced(server, cache, monkeypatch):
    offer(monkeypatch, address(server))
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "x.bin").write_bytes(b"broken")
    with pytest.raises(ValueError, match="corrupt"):
        data.verify("toy")
    assert data.fetch("toy")[0].read_bytes() == CONTENT


def test_no_network(cache, monkeypatch):
    offer(monkeypatch, "http://127.0.0.1:9/x.bin")
    with pytest.raises(ValueError, match="no source answers"):
        data.fetch("toy")


def test_no_official_source(cache):
    with pytest.raises(ValueError, match="no official download"):
        data.fetch("cifar10-jpeg")


def test_disk_trouble(cache, monkeypatch):
    offer(monkeypatch, "http://127.0.0.1:9/x.bin")
    cache.write_text("a file where the folder should be")
    with pytest.raises(ValueError, match="LEARNSYM_CACHE"):
        data.fetch("toy")


def test_disk_full(server, cache, monkeypatch):
    offer(monkeypatch, address(server))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ValueError, match="free space"):
        data.fetch("toy")
    assert files_in(cache) == []


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar10-jpeg", "camvid"])
def test_missing_files_say_what_to_do(cache, name):
    with pytest.raises(ValueError, match="LEARNSYM_DATA"):
        data.load(name)
    with pytest.raises(ValueError, match="missing"):
        data.verify(name)


def test_data_folder_must_exist(cache, monkeypatch):
    monkeypatch.setenv("LEARNSYM_DATA", str(cache / "nowhere"))
    with pytest.raises(ValueError, match="is not a folder"):
        data.catalogue()


def test_data_folder_comes_first(server, cache, monkeypatch, tmp_path):
    offer(monkeypatch, address(server))
    data.fetch("toy")
    (tmp_path / "own" / "toy").mkdir(parents=True)
    (tmp_path / "own" / "toy" / "x.bin").write_bytes(CONTENT)
    monkeypatch.setenv("LEARNSYM_DATA", str(tmp_path / "own"))
    assert data.verify("toy") == [tmp_path / "own" / "toy" / "x.bin"]


def test_embedded_sets_need_no_files(cache):
    assert data.fetch("digits") == [] and data.verify("digits") == []
    entries = {entry.name: entry for entry in data.catalogue()}
    assert set(entries) == set(data.registry)
    assert entries["digits"].present and not entries["mnist"].present
    assert all(entry.licence and entry.title for entry in entries.values())


def test_official_sources_are_named():
    for source in data.registry.values():
        assert all(len(file.sha256) == 64 for file in source.files)
        assert all(url.startswith("https://") for file in source.files for url in file.urls)
        if source.name != "cifar10-jpeg":
            assert all(file.urls for file in source.files)


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


def test_idx_is_checked_by_content_not_by_wrapper(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "a.gz", array)
    assert np.array_equal(idx.read_idx(tmp_path / "a.gz").numpy(), array)
    plain = gzip.decompress((tmp_path / "a.gz").read_bytes())
    (tmp_path / "b.gz").write_bytes(gzip.compress(plain, 1, mtime=7))
    assert digest(tmp_path / "a.gz", "gzip") == digest(tmp_path / "b.gz", "gzip") == hashlib.sha256(plain).hexdigest()


@pytest.mark.parametrize("kind", ["gzip", "npz"])
def test_unreadable_file(tmp_path, kind):
    (tmp_path / "x").write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="corrupt"):
        digest(tmp_path / "x", kind)
    whole = io.BytesIO()
    np.savez_compressed(whole, x=np.random.default_rng(0).random(1000))
    cut = gzip.compress(CONTENT)[:-100] if kind == "gzip" else whole.getvalue()[:-300]
    (tmp_path / "x").write_bytes(cut)
    with pytest.raises(ValueError, match="corrupt"):
        digest(tmp_path / "x", kind)


def test_not_an_idx_file(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"hello"))
    with pytest.raises(ValueError, match="IDX"):
        idx.read_idx(tmp_path / "x.gz")


def add(tar, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def test_cifar_records(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
    labels = np.array([3, 1, 4, 1, 5], np.uint8)
    content = b"".join(bytes([label]) + image.tobytes() for label, image in zip(labels, pixels, strict=True))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        add(tar, cifar.TEST[0], content)
    x, y = cifar.read_records(tmp_path / "a.tar.gz", cifar.TEST)
    assert np.array_equal(x.numpy(), pixels) and np.array_equal(y.numpy(), labels)


def test_cifar_jpegs(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for label, name in ((9, "truck"), (2, "bird")):
            for number in (1, 0):
                stream = io.BytesIO()
                Image.new("RGB", (32, 32), (label * 20, number * 200, 0)).save(stream, "JPEG")
                add(tar, f"test/{name}/{number:04}.jpg", stream.getvalue())
    images, labels = cifar.decode(tmp_path / "a.tar.gz", "test")
    assert images.shape == (4, 3, 32, 32) and labels.tolist() == [2, 9, 2, 9]
    assert np.abs(images[:, 1].mean((1, 2)) - [0, 0, 200, 200]).max() < 4


def checksum(archive):
    with zipfile.ZipFile(archive) as content:
        return members_digest({name.partition("/")[2]: content.read(name) for name in content.namelist()})


def test_camvid_is_built_from_the_published_images(tmp_path, server, cache, monkeypatch):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (360, 480, 3), dtype=np.uint8)
    labels = random.integers(0, 12, (360, 480), dtype=np.uint8)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        for split in camvid.SPLITS:
            for folder, array in ((split, pictures), (f"{split}annot", labels)):
                stream = io.BytesIO()
                Image.fromarray(array).save(stream, "PNG")
                content.writestr(f"SegNet/CamVid/{folder}/0.png", stream.getvalue())
    server.content = archive.getvalue()
    (tmp_path / "zip").write_bytes(server.content)
    with pytest.raises(ValueError, match="members are not the published ones"):
        camvid.convert(tmp_path / "zip", tmp_path / "npz")
    convert = partial(camvid.convert, sha256=checksum(tmp_path / "zip"))
    convert(tmp_path / "zip", tmp_path / "npz")
    with np.load(tmp_path / "npz") as arrays:
        assert np.array_equal(arrays["y_val"][0], labels[2::4, 2::4])
        mean = pictures.reshape(90, 4, 120, 4, 3).mean((1, 3))
        assert np.abs(arrays["x_test"][0] - mean).max() <= 1.0
    offer(monkeypatch, address(server), kind="npz", build=convert, sha256=digest(tmp_path / "npz", "npz"))
    data.fetch("toy")
    assert files_in(cache) == ["x.bin"]
    offer(monkeypatch, address(server), path="toy/y.bin", kind="npz", build=convert)
    with pytest.raises(ValueError, match="something else than the published file"):
        data.fetch("toy")
    assert files_in(cache) == ["x.bin"]


def test_a_page_instead_of_an_archive(server, cache, monkeypatch):
    offer(monkeypatch, address(server), kind="npz", build=camvid.convert)
    with pytest.raises(ValueError, match="something else than the published file"):
        data.fetch("toy")
    assert files_in(cache) == []
