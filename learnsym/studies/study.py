"""`study`: which symmetry is in your data, told by twins of your own network, and which twin to take."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from learnsym._reasons import reason_of
from learnsym.data import Dataset, Splits
from learnsym.degrees import Degree
from learnsym.export import export_model
from learnsym.files import check_folder, read_json
from learnsym.measure.config import AnalysisConfig
from learnsym.report import analyze
from learnsym.report.card import Card, CardSettings, Examples, Subject, measure_model
from learnsym.report.run import text_table
from learnsym.report.run.advice import best_twin
from learnsym.report.run.own import RESULT, STUDY, own_results
from learnsym.report.run.results import Analysis, DataResult
from learnsym.studies.examples import Data, guessed_loss, in_memory, splits_of
from learnsym.studies.member import train_member
from learnsym.studies.poses import keep_poses
from learnsym.studies.question import begin, question_of
from learnsym.studies.recipe import EXACT, Net, Recipe, check_method, exact_part
from learnsym.studies.settings import TwinSettings
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry
from learnsym.training import OwnRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """Trained twins of your network in a folder, and what they say about the symmetry of your data. See `study`."""

    out: Path
    """The folder; each twin with each seed has a run in it."""
    recipe: Recipe
    splits: Splits
    label: str

    @cached_property
    def results(self) -> DataResult:
        """Everything that was found, as plain values."""
        return own_results(self.out, AnalysisConfig())[0]

    @property
    def degrees(self) -> list[Degree]:
        """How much of each symmetry: learned by the twin (`task`, an interval over seeds), and in which poses the
        examples come (`distribution`), where that was inferred.
        """
        return self.results.degrees

    @property
    def best(self) -> str:
        """The twin of the lowest mean loss on validation examples."""
        return best_twin(self._by_twin()) or next(iter(self._by_twin()))

    def report(self, progress: bool = True) -> Path:
        """Write `report.html`, `figures/` and `symmetry.json`, and return the path of the page."""
        return analyze(self.out, progress=progress).report

    def model(self, twin: str | None = None, seed: int | None = None) -> nn.Module:
        """A trained twin, in evaluation mode on the CPU.

        Args:
            twin: which one; by default the best on validation examples.
            seed: by default the one of the lowest loss on validation examples.

        Raises:
            ValueError: for a twin or seed that was not trained.
        """
        twin = self.best if twin is None else twin
        runs = {run.seed: run for run in self._runs_by_twin().get(twin, [])}
        seed = min(runs, key=lambda each: _result(runs[each])["val"], default=None) if seed is None else seed
        if seed not in runs:
            trained = ", ".join(run.path.name for run in self.runs)
            raise ValueError(f"twin, seed: got {twin} with seed {seed}, must be one of {trained}")
        return self.recipe.evaluated(twin, runs[seed].load_into(self.recipe.trained(twin, runs[seed].seed)))

    def card(self, out: str | os.PathLike[str] | None = None, settings: CardSettings | None = None) -> Card:
        """The symmetry card of the best twin on test examples, under each of the symmetries; kept in `card/`."""
        test = in_memory(self.splits.test)
        examples = Examples.of(test, torch.arange(len(test)), f"{self.label}, test")
        subject = Subject(name=f"the {self.best} twin", model=self.model())
        folder = self.out / "card" if out is None else Path(out)
        return measure_model(subject, examples, self.symmetries, folder, settings)

    def export(self, path: str | os.PathLike[str], twin: str | None = None) -> Path:
        """Write a twin, by default the best, as a program that runs without learnsym; see `export.export_model`."""
        example, _ = self.splits.test.batch(torch.arange(min(4, len(self.splits.test))))
        return export_model(self.model(twin), example, path)

    @property
    def runs(self) -> list[OwnRun]:
        """The run of each twin and seed."""
        names = [f"{twin}-{seed}" for twin in self.recipe.settings.twins for seed in self.recipe.settings.seeds]
        return [OwnRun(self.out / name) for name in names if (self.out / name).is_dir()]

    @property
    def symmetries(self) -> list[str]:
        """The symmetries by name."""
        return read_json(self.out / STUDY, "study", "call ls.study again")["symmetries"]

    def _runs_by_twin(self) -> dict[str, list[OwnRun]]:
        found: dict[str, list[OwnRun]] = {}
        for run in self.runs:
            found.setdefault(run.twin, []).append(run)
        return found

    def _by_twin(self) -> dict[str, list[dict[str, Any]]]:
        return {twin: [_result(run) for run in runs] for twin, runs in self._runs_by_twin().items()}

    def __repr__(self) -> str:
        verdicts = [f"{each.headline}. {each.detail}" for each in self.results.verdicts]
        table = text_table(Analysis(path=self.out, data=[self.results]))
        return "\n".join([f"Study of {self.label} in {self.out}", *verdicts, table])

    def _repr_html_(self) -> str:
        verdicts = (f"<p><b>{escape(v.headline)}</b><br>{escape(v.detail)}</p>" for v in self.results.verdicts)
        table = text_table(Analysis(path=self.out, data=[self.results]))
        return f"<h4>Study of {escape(self.label)}</h4>{''.join(verdicts)}<pre>{escape(table)}</pre>"


def study(
    net: Net,
    train: Data,
    val: Data | None = None,
    test: Data | None = None,
    *,
    symmetries: SymmetryLike,
    out: str | os.PathLike[str],
    label: str = "",
    progress: bool = True,
    **settings: Any,  # noqa: ANN401  fields of TwinSettings
) -> Study:
    """Which symmetry is in your data: train twins of your network that learn it, have it and do not have it.

    The learned twin averages the network over transformed inputs; how far they are moved is that one of several
    hypotheses, from none to full symmetry, which validation examples choose, or, with `chooser="training"`, what the
    training loss and a reward make of it, as Augerino does. `plain` is the network alone, `exact` is averaged over the
    largest compact group in the symmetries. All twins of a seed begin with the same weights and cost the same in
    training. Choices are made on validation examples, scores are those of test examples. For images the law of poses
    is inferred too, from the inputs alone. The same call continues what was stopped, and does nothing when all is done.

    Args:
        net: your network, or a function that makes it (seeds then draw new initial weights, and intervals hold that
            spread, too), or a network in words, such as `cnn` or `FILE.py:factory`.
        train: examples: arrays or tensors `(x, y)`, a torch `Dataset`, a `DataLoader` (read once), or a `Dataset`; or a
            source in words, such as a folder of images by class, whose splits are taken.
        val, test: examples of the same form; None for some of the training examples.
        symmetries: one or several, by name or as a `Symmetry`; several are learned at once, as the group they generate.
        out: folder of the study; an existing study of the same question is continued.
        label: what tables and figures call the data; by default the name of the source, or `data`.
        progress: whether to show progress bars on a terminal.
        settings: fields of `TwinSettings`: `twins`, `seeds` (three by default, for intervals), `steps`, `batch_size`,
            `optimiser`, `chooser`, `borrow`, `method`, `loss` (guessed from the targets and said), `orbit`, `pose`,
            `device`.

    Returns:
        The study: `study.degrees`, `study.report()`, `study.card()`, `study.export("model.pt2")`.

    Raises:
        ValueError: before any work, when data, network or symmetries do not fit each other, a setting is unknown, or
            the folder holds something else.

    Example:
        >>> import tempfile
        >>> x, y = torch.rand(80, 1, 8, 8), torch.arange(80) % 3
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        >>> options = {"steps": 5, "seeds": [0], "pose": ls.measure.PoseConfig(generators=[])}
        >>> found = ls.study(net, (x, y), symmetries=["rotation2d", "flip2d"], out=tempfile.mkdtemp() + "/s", **options)
        >>> [(degree.generator, degree.unit) for degree in found.degrees]
        [('rotation', 'degree'), ('reflection at 90', 'probability')]
    """
    folder, chosen = check_folder(out), _settings(settings)
    splits = splits_of(train, val, test, label)
    names = _names(symmetries)
    symmetry = _symmetry(symmetries, names, splits.train)
    recipe = _recipe(net, symmetry, splits.train, chosen)
    recipe.check_val(len(splits.val))
    label = label or splits.train.name
    begin(folder, question_of(recipe, names, splits, label))
    members = [(twin, seed) for twin in recipe.settings.twins for seed in chosen.seeds]
    bar = tqdm(members, desc="study", unit="training", disable=None if progress else True, leave=False)
    for twin, seed in bar:
        bar.set_postfix_str(f"{twin}, seed {seed}")
        train_member(recipe, twin, seed, splits, folder / f"{twin}-{seed}", label)
    keep_poses(symmetry, splits, chosen.pose, folder, AnalysisConfig().level)
    return Study(folder, recipe, splits, label)


def _settings(options: dict[str, Any]) -> TwinSettings:
    unknown = sorted(set(options) - set(TwinSettings.__dataclass_fields__))
    if unknown:
        known = ", ".join(TwinSettings.__dataclass_fields__)
        raise ValueError(f"{unknown[0]}: is no setting of a study, must be one of {known}; leave it out")
    if options.get("method") == "augerino":
        del options["method"]
    lists: dict[str, Any] = {
        key: list(value) if isinstance(value, tuple | range) else value for key, value in options.items()
    }
    chosen = TwinSettings(**lists)
    check_method(chosen.method, chosen.chooser)
    return chosen


def _names(symmetries: SymmetryLike) -> list[str]:
    """The symmetries by the names they were given by, or those of their groups."""
    if isinstance(symmetries, str):
        return [part.strip() for part in symmetries.split("+")]
    each = [symmetries] if isinstance(symmetries, Symmetry) else symmetries
    return [part if isinstance(part, str) else part.name for part in each]


def _symmetry(symmetries: SymmetryLike, names: Sequence[str], data: Dataset) -> Symmetry:
    """The symmetry of these data, inputs and targets."""
    given = isinstance(symmetries, Symmetry) or not all(isinstance(part, str) for part in symmetries)
    if given or not names:
        found = as_symmetry(symmetries)
        return found if found.on_input.part.key else found.at(input=data.moves)
    return data.signature.symmetry("+".join(names))


def _recipe(net: Net, symmetry: Symmetry, data: Dataset, settings: TwinSettings) -> Recipe:
    if not data.has_targets:
        raise ValueError("train: holds no targets, must be (x, y); give labels or numbers, or call ls.infer(x)")
    loss = settings.loss or guessed_loss(data)
    if loss.name == "segmentation":
        raise ValueError(
            "train: got label maps, must have labels or numbers; use learnsym train with loss.name segmentation"
        )
    exact = exact_part(symmetry)
    twins = [twin for twin in settings.twins if twin != EXACT or exact is not None]
    if len(twins) < len(settings.twins):
        logger.info("twins: no exact twin, since %s holds no compact group", symmetry.name)
    outputs = data.classes or max(1, data.y[0].numel())
    changed = TwinSettings(**{**vars(settings), "twins": twins})
    recipe = Recipe(net, symmetry, exact, data.in_shape, outputs, loss, changed)
    _try(recipe, data)
    return recipe


def _try(recipe: Recipe, data: Dataset) -> None:
    """Two examples through each twin, before hours of work."""
    x, y = data.batch(torch.arange(min(2, len(data))))
    for twin in recipe.settings.twins:
        model = recipe.evaluated(twin, recipe.trained(twin, recipe.settings.seeds[0]))
        try:
            with torch.no_grad():
                outputs = model(x)
        except Exception as error:  # of the user's network, or of torch
            raise ValueError(
                f"net: cannot take examples of shape {data.in_shape} ({reason_of(error)}); give one that takes them"
            ) from error
        _check_outputs(outputs, y, recipe.outputs if data.classes else 0)


def _check_outputs(outputs: object, y: Tensor, classes: int) -> None:
    if isinstance(outputs, Tensor) and classes and outputs.ndim == 2 and outputs.shape[1] >= classes:
        return
    if isinstance(outputs, Tensor) and not classes and outputs.shape in (y.shape, (*y.shape, 1)):
        return
    got = f"shape {tuple(outputs.shape)}" if isinstance(outputs, Tensor) else f"a {type(outputs).__name__}"
    wanted = f"({len(y)}, {classes}), a number for each class" if classes else f"{tuple(y.shape)}, that of the targets"
    raise ValueError(
        f"net: returns {got} for {len(y)} examples, must return a tensor of shape {wanted}; change its end"
    )


def _result(run: OwnRun) -> dict[str, Any]:
    return read_json(run.path / RESULT, "run", "delete it and call ls.study again", {"val": float})
