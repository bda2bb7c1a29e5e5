"""Which pieces the analysis of one data set consists of, and why others are left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from learnsym.measure.config import AnalysisConfig, TaskExtentConfig
from learnsym.report.run import pieces
from learnsym.report.run.groups import DataGroup
from learnsym.report.run.store import Piece
from learnsym.training.config import RunConfig
from learnsym.training.run import Run


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Pieces of one data set, and notes on what is not computed."""

    runs: dict[Path, Piece]
    widths: dict[float, list[Piece]] = field(default_factory=dict)
    poses: dict[str, Piece] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def pieces(self) -> list[Piece]:
        """All pieces."""
        return [*self.runs.values(), *(piece for same in self.widths.values() for piece in same), *self.poses.values()]


def plan(group: DataGroup, settings: AnalysisConfig) -> Plan:
    """Plan the analysis of one data set.

    Args:
        group: its runs.
        settings: what to compute.
    """
    config, notes = group.first.config, []
    runs = {run.path: _run_piece(run, group.kept, settings) for run in group.runs}
    return Plan(
        runs=runs,
        widths=_width_pieces(group, config, settings, notes),
        poses=_pose_pieces(group, config, settings, notes),
        notes=notes,
    )


def _run_piece(run: Run, folder: Path, settings: AnalysisConfig) -> Piece:
    names = ("angle_step", "angle_examples", "equivariance_samples", "equivariance_examples", "seed")
    arguments = {"path": str(run.path), "settings": {name: getattr(settings, name) for name in names}}
    arguments["memory"] = memory_of_each(settings)
    weights = next(path for name in ("weights.safetensors", "state.pt") if (path := run.path / name).is_file())
    given = {"config": _trained(run.config), "settings": arguments["settings"]}
    return Piece(
        path=folder / f"{run.twin}-{run.seed}.json",
        function=pieces.trained_run,
        arguments=arguments,
        given=given,
        inputs=(weights,),
        cost=2.0,
    )


def _width_pieces(
    group: DataGroup, config: RunConfig, settings: AnalysisConfig, notes: list[str]
) -> dict[float, list[Piece]]:
    extent, varied = settings.task_extent, config.method.varied()
    if not extent.widths or varied is None:
        return {}
    names = [generator.name for generator in varied.generators]
    if extent.generator not in names:
        known = ", ".join(names) or "none"
        notes.append(f"No task extent: {varied.name} has no generator {extent.generator!r}, only {known}.")
        return {}
    return {
        width: [_width_piece(group, config, extent, width, replicate) for replicate in range(extent.replicates)]
        for width in sorted(set(extent.widths))
    }


def _width_piece(group: DataGroup, config: RunConfig, extent: TaskExtentConfig, width: float, replicate: int) -> Piece:
    name = f"width-{extent.generator}-{width:g}" + (f"-{replicate}" if replicate else "")
    varied = {"generator": extent.generator, "width": width, "steps": extent.steps, "replicate": replicate}
    return Piece(
        path=group.kept / f"{name}.json",
        function=pieces.fixed_width,
        arguments={"path": str(group.first.path), **varied},
        given={"config": _trained(config), **varied},
        cost=4.0,
    )


def _pose_pieces(group: DataGroup, config: RunConfig, settings: AnalysisConfig, notes: list[str]) -> dict[str, Piece]:
    moved = config.method.moved(group.first.signature())
    if moved is None:
        return {}
    available = {generator.name for generator in moved.group.generators}
    planned = {}
    for name in settings.pose.generators:
        if name not in available:
            notes.append(f"No law of poses along {name!r}: {moved.group.name} has no such generator.")
            continue
        given = {
            "config": asdict(config.data),
            "generator": name,
            "settings": asdict(settings.pose),
            "level": settings.level,
            "seed": settings.seed,
        }
        arguments = {
            "path": str(group.first.path),
            **{key: given[key] for key in ("generator", "settings", "level", "seed")},
            "memory": memory_of_each(settings),
        }
        file = "pose.json" if name == settings.pose.generators[0] else f"pose-{name}.json"
        planned[name] = Piece(
            path=group.kept / file, function=pieces.pose_law, arguments=arguments, given=given, cost=12.0
        )
    return planned


def memory_of_each(settings: AnalysisConfig) -> float:
    """The GiB of one process, of those that all have; no result depends on it."""
    return settings.memory / settings.workers


def _trained(config: RunConfig) -> dict[str, object]:
    # what the trained weights depend on; the label is only a name
    fields = asdict(config)
    for name in ("analysis", "twins"):
        fields.pop(name)
    fields["data"].pop("label")
    return fields
