"""Pieces: independent computations of an analysis, whose results are kept as JSON beside the runs and reused."""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from learnsym._version import __version__
from learnsym.files import read_json, replacing
from learnsym.training.worker import begin_worker

logger = logging.getLogger(__name__)

FORMAT = 2
"""Raised when a piece computes something else, so that kept results of older versions are not used."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One computation: a module-level function, its arguments as plain values, the file that keeps its result."""

    path: Path
    function: Callable[..., dict[str, Any]]
    arguments: dict[str, Any]
    given: dict[str, Any]
    """What the result depends on, as plain values; unlike the arguments it names no folder."""
    inputs: tuple[Path, ...] = ()
    """Files whose content the result depends on."""
    cost: float = 1.0
    """Expected time in seconds, only for the order of computation."""

    @property
    def key(self) -> str:
        """Hash of everything that the result depends on."""
        digest = hashlib.sha256(
            json.dumps([FORMAT, __version__, self.function.__name__, self.given], sort_keys=True, default=str).encode()
        )
        for path in self.inputs:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def load(self) -> dict[str, Any] | None:
        """The kept result; None when there is none for these inputs."""
        try:
            content = read_json(self.path, "run", "delete it")
        except ValueError:  # there is none, or something else lies there
            return None
        result, kept = content.get("result"), (content.get("key"), content.get("digest"))
        return result if kept == (self.key, _digest(result)) else None

    def compute(self) -> dict[str, Any]:
        """Compute and keep the result."""
        result = self.function(**self.arguments)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as temporary:
            content = {"key": self.key, "digest": _digest(result), "result": result}
            temporary.write_text(json.dumps(content), encoding="utf8")
        return result


def _digest(result: object) -> str:
    """Tells whether a kept result is whole and as it was written."""
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()


def results(
    pieces: Sequence[Piece], workers: int = 1, progress: bool = True, label: str = "analysis"
) -> list[dict[str, Any]]:
    """Results of all pieces, in order: kept ones from their files, the others computed in `workers` processes.

    The bar counts costs, so that it says how much time is left. With more than one worker a script needs
    `if __name__ == "__main__":`, as all of multiprocessing does.
    """
    computed = {i: result for i, piece in enumerate(pieces) if (result := piece.load()) is not None}
    missing = [i for i in range(len(pieces)) if i not in computed]
    logger.info("%s: %d pieces kept, %d to compute", label, len(computed), len(missing))
    costs = [piece.cost for piece in pieces]
    with tqdm(
        total=sum(costs),
        initial=sum(costs[i] for i in computed),
        desc=label,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed} passed, {remaining} left",
        disable=None if progress else True,
        leave=False,
    ) as bar:
        for i, result in _computed(pieces, missing, workers):
            computed[i] = result
            bar.update(costs[i])
    return [computed[i] for i in range(len(pieces))]


def _computed(pieces: Sequence[Piece], missing: Sequence[int], workers: int) -> Iterator[tuple[int, dict[str, Any]]]:
    if min(workers, len(missing)) <= 1:
        for i in missing:
            yield i, pieces[i].compute()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(missing)), mp_context=context, initializer=begin_worker) as pool:
        futures = {pool.submit(pieces[i].compute): i for i in missing}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
