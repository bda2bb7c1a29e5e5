"""The gallery: real pages, made by the commands that stand beside them, with a picture of each.

    python docs/gallery.py          # what has changed since the last time
    python docs/gallery.py demo     # one entry

Runs lie in docs/_gallery/runs and go on where they were stopped; an entry is left alone when its commands, the
configurations and the library are as they were.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
OUT = DOCS / "_gallery"
SITE = OUT / "site" / "gallery"
"""Is copied into the documentation as it is."""
WIDTH, HEIGHT = 1200, 900
"""Of the part of a page that its picture shows, in pixels."""
LANGUAGES = {".py": "python", ".yaml": "yaml"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page of the gallery."""

    title: str
    says: str
    commands: tuple[str, ...]
    """Each begins with `learnsym`; they run in a folder of the entry, in which its files of docs/gallery lie."""
    page: str
    files: tuple[str, ...] = ()


DEMO = "learnsym train demo --train.workers 2"
ENTRIES = {
    "infer": Entry(
        title="Which symmetries do these data have?",
        says="Digits that were turned and mirrored, which nobody says: each candidate has a verdict in words.",
        commands=("learnsym infer turned.py:digits --steps 150 --task-steps 500 --out answer",),
        page="answer/report.html",
        files=("turned.py",),
    ),
    "demo": Entry(
        title="Which symmetry is in which data, and which twin wins?",
        says="Digits as scanned, turned by up to 60° and turned by any angle. Nobody told the learner which is which.",
        commands=(
            f"{DEMO} --out runs/as-scanned",
            f"{DEMO} --out runs/rotated-60 --data.label rotated-60 --data.plant.rotation 60",
            f"{DEMO} --out runs/rotated-180 --data.label rotated-180 --data.plant.rotation 180",
            "learnsym analyze runs",
        ),
        page="runs/report.html",
    ),
    "card": Entry(
        title="How symmetric is this network?",
        says="A symmetry card of a small network of digits: what turns, mirrors and shifts do, layer by layer.",
        commands=(
            "learnsym train demo --twins [plain] --seeds [0] --data.label turned --data.plant.rotation 30 --out run",
            "learnsym measure run --symmetry rotation2d flip2d translation2d --out card",
        ),
        page="card/card.html",
    ),
    "comparison": Entry(
        title="Which twin wins, with how many examples?",
        says="A plain network, an augmented one, one with the symmetry built in and one that learns it, over examples.",
        commands=("learnsym compare compare/digits --out twins --workers 2",),
        page="twins/comparison.html",
    ),
    "scaling": Entry(
        title="A factor or an exponent?",
        says="Losses of bodies over model size and training length, with the laws that fit them and their intervals.",
        commands=("learnsym compare scaling.yaml --out grid --workers 2", "learnsym scale grid"),
        page="grid/scaling.html",
        files=("scaling.yaml",),
    ),
    "potential": Entry(
        title="Forces in a molecule",
        says="Ethanol: a plain network of its forces, one with rotations built in, and one that may leave them.",
        commands=("learnsym train potential.yaml --out runs --train.workers 2", "learnsym analyze runs"),
        page="runs/report.html",
        files=("potential.yaml",),
    ),
}


def main(names: list[str]) -> int:
    for name in names or ENTRIES:
        make(name, ENTRIES[name])
    write_page()
    return 0


def make(name: str, entry: Entry) -> None:
    """Run the commands of an entry, and keep its page and a picture of it."""
    state = fingerprint(entry)
    stamp = OUT / "stamps" / name
    if stamp.exists() and stamp.read_text() == state and (SITE / f"{name}.png").exists():
        return
    began = time.monotonic()
    folder = OUT / "runs" / f"{name}-{hashlib.sha256(repr(entry).encode()).hexdigest()[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for file in entry.files:
        shutil.copy(DOCS / "gallery" / file, folder)
    for command in entry.commands:
        print(f"gallery, {name}: {command}", flush=True)
        subprocess.run([sys.executable, "-m", *command.split()], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    SITE.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / entry.page, SITE / f"{name}.html")
    picture(folder / entry.page, SITE / f"{name}.png")
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(state)
    print(f"gallery, {name}: {time.monotonic() - began:.0f} s", flush=True)


def fingerprint(entry: Entry) -> str:
    """A hash of all that the page depends on."""
    sources = [
        *ROOT.glob("learnsym/**/*.py"),
        *ROOT.glob("learnsym/report/templates/*"),
        *ROOT.glob("configs/**/*.yaml"),
    ]
    own = [DOCS / "gallery" / file for file in entry.files]
    digest = hashlib.sha256(repr(entry).encode())
    for path in sorted([*sources, *own]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def picture(page: Path, target: Path) -> None:
    """The top of a page as a browser shows it; its first figure where there is no browser."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        if browser is not None:
            size, address = f"--window-size={WIDTH},{HEIGHT}", page.resolve().as_uri()
            words = ["--headless", "--no-sandbox", "--hide-scrollbars", size, f"--screenshot={shot}", address]
            subprocess.run([browser, *words], check=True, capture_output=True)
        source = shot if shot.exists() else min((page.parent / "figures").rglob("*.png"))
        with Image.open(source) as image:
            image.thumbnail((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)
            image.save(target)


def write_page() -> None:
    """The part of gallery.md that shows what has been made."""
    made = {name: entry for name, entry in ENTRIES.items() if (SITE / f"{name}.html").exists()}
    text = "\n".join(shown(name, entry) for name, entry in made.items())
    (OUT / "entries.md").write_text(text, encoding="utf8")


def shown(name: str, entry: Entry) -> str:
    commands = "\n".join(entry.commands)
    files = "".join(
        f"\n```{{literalinclude}} gallery/{file}\n:language: {LANGUAGES[Path(file).suffix]}\n:caption: {file}\n```\n"
        for file in entry.files
    )
    return f"""## {entry.title}

{entry.says}

<a href="gallery/{name}.html"><img class="page" alt="{entry.title}" src="gallery/{name}.png"></a>

```text
{commands}
```
{files}"""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
