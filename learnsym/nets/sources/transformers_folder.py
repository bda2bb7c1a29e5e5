"""hf:FOLDER: a model that transformers has saved in a local folder. Nothing is downloaded, and no code of it is run."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from learnsym._reasons import reason_of
from learnsym.files import read_json
from learnsym.nets.normalised import Normalised
from learnsym.nets.sources.source import Source, Wanted

logger = logging.getLogger(__name__)
PREFIX = "hf:"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
SAVE = "save it with model.save_pretrained(FOLDER)"


@dataclass(frozen=True, kw_only=True)
class TransformersFolder(Source):
    """The model of `config.json` with the weights beside it; images in [0, 1] are normalised as the folder says.

    A head of another number of classes is made anew, which is said.
    """

    path: Path
    output = "logits"

    @classmethod
    def of(cls, word: str, argument: str) -> TransformersFolder | None:
        """The source that a word names; None where it names another kind."""
        folder = word.removeprefix(PREFIX)
        return cls(argument=argument, path=Path(folder).absolute()) if word.startswith(PREFIX) else None

    @property
    def word(self) -> str:
        return f"{PREFIX}{self.path}"

    def network(self, wanted: Wanted) -> nn.Module:
        self.check_width(wanted.width)
        content = self._content()
        with _quiet(self._library()) as transformers:
            net = self._loaded(self._kind(transformers, content), self._changes(content, wanted))
        return self._normalised(net)

    def files(self) -> Sequence[Path]:
        return sorted(path for path in self.path.glob("*") if path.suffix in (".json", ".safetensors"))

    def _content(self) -> dict[str, Any]:
        """What `config.json` holds."""
        if not (self.path / "config.json").is_file():
            raise ValueError(f"{self.argument}: {self.path} has no config.json of transformers; {SAVE}")
        if not any((self.path / name).is_file() for name in WEIGHTS):
            raise ValueError(f"{self.argument}: {self.path} has no weights (no {WEIGHTS[0]}); {SAVE}")
        content = read_json(self.path / "config.json", self.argument, SAVE, {"architectures": list})
        if "auto_map" in content:
            raise ValueError(
                f"{self.argument}: {self.path} brings code of its own (auto_map), which is not run; give a "
                "FILE.py:factory that makes the model"
            )
        return content

    def _library(self) -> Any:  # noqa: ANN401  a module
        try:
            return importlib.import_module("transformers")
        except ModuleNotFoundError as error:
            raise ImportError(f"{self.word} needs the package transformers: pip install learnsym[hf]") from error

    def _kind(self, transformers: Any, content: dict[str, Any]) -> Any:  # noqa: ANN401  a class of transformers
        name = str((content["architectures"] or ["none"])[0])
        kind = getattr(transformers, name, None)
        if not isinstance(kind, type) or not issubclass(kind, transformers.PreTrainedModel):
            raise ValueError(
                f"{self.argument}: {self.path} holds a {name}, which transformers {transformers.__version__} does not "
                "have; install a version that has it, or give a FILE.py:factory that makes the model"
            )
        return kind

    def _changes(self, content: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
        """Where the wanted network differs from the saved one: in its head."""
        saved = len(content.get("id2label") or ()) or content.get("num_labels") or 2
        if wanted.classes in (None, saved):
            return {}
        logger.info("%s: its head of %d classes is made anew, with %d", self.word, saved, wanted.classes)
        names = {i: f"LABEL_{i}" for i in range(wanted.classes or 0)}
        return {"id2label": names, "label2id": {name: i for i, name in names.items()}}

    def _loaded(self, kind: Any, changes: dict[str, Any]) -> nn.Module:  # noqa: ANN401
        options = {"local_files_only": True, "output_loading_info": True, "ignore_mismatched_sizes": bool(changes)}
        try:
            net, info = kind.from_pretrained(str(self.path), **options, **changes)
        except Exception as error:  # of several libraries
            raise ValueError(f"{self.argument}: {self.path} cannot be read ({reason_of(error)}); {SAVE}") from error
        if missing := sorted(info["missing_keys"]):
            raise ValueError(
                f"{self.argument}: the weights in {self.path} lack {len(missing)} of the model's parameters, such as "
                f"{missing[0]}; {SAVE}"
            )
        return net

    def _normalised(self, net: nn.Module) -> nn.Module:
        path = self.path / "preprocessor_config.json"
        content = json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}
        if not content.get("do_normalize") or not content.get("image_mean"):
            return net
        return Normalised(net, content["image_mean"], content["image_std"])


@contextmanager
def _quiet(transformers: Any) -> Iterator[Any]:  # noqa: ANN401
    """Without bars and reports, which say what is said here in a sentence."""
    level = transformers.logging.get_verbosity()
    bars = transformers.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield transformers
    finally:
        transformers.logging.set_verbosity(level)
        if bars:
            transformers.logging.enable_progress_bar()
