"""Symmetric embeddings for world models: do latents carry what was learned of some pushes to others?

python experiments/world_models/run.py --out runs/world_models
"""

import argparse
import json
import time
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from worlds import HORIZONS, SETS, Scene, grid, measured, reacher, transitions

import learnsym as ls
from learnsym.data import Dataset
from learnsym.data.worlds import DIRECTIONS, FrameWorld
from learnsym.methods import Setup, Twin, registry
from learnsym.nets.world import FrameEncoder, FrameModel, FreeTurn, Turn
from learnsym.objectives import Contrastive, LossConfig, Supervised
from learnsym.objectives.choosers import Resilience, TrainingLoss
from learnsym.statistics import over_seeds

TWINS: dict[str, Twin] = {"none": "plain", "full": "exact", "ours": "fixed"}
TURNS = ("none", "matrix product")
PARTS = ("frames", "grids", "reacher", "tilts", "stuck")
LOSSES = {"pushes": (63, 30.0), "torques": (63, 10.0), "frames": (16, 10.0)}
"""Negatives of the contrastive loss and their weight."""
COST = 0.03
"""Of slack in the gains of pictures and transitions."""
TILTS = (0.0, 15.0, 30.0, 60.0)
HARD = 12
"""Near negatives of a frame: turns by 12 degrees, or twice that, about the three axes, either way."""


class Case(NamedTuple):
    """One training."""

    part: str
    task: str
    arm: str
    seed: int

    @property
    def file(self) -> str:
        """Where its result is kept."""
        return "-".join(map(str, self)).replace(", ", "_").replace(" ", "_") + ".json"


def main() -> None:
    options = parsed()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for case in cases(options):
        path = options.out / case.file
        if not path.exists():
            path.write_text(json.dumps(trained(case, options)) + "\n", encoding="utf8")
    found = [json.loads(path.read_text(encoding="utf8")) for path in sorted(options.out.glob("*-*-*-*.json"))]
    print(*tables(found), sep="\n\n")


def parsed() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--out", type=Path, required=True, help="folder of results, one file a training; resumes")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--tilts", nargs="+", type=float, default=list(TILTS), help="of the camera in degrees")
    parser.add_argument("--arms", nargs="+", choices=list(TWINS), default=list(TWINS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument(
        "--width", type=int, default=2, help="regular fields of the plain twin; others have as many parameters"
    )
    parser.add_argument("--reacher-width", type=int, default=1, help="the same of the reacher")
    parser.add_argument("--start", type=float, default=1.0, help="gain of free branches at the start, where learned")
    parser.add_argument("--objects", type=int, default=2)
    parser.add_argument("--size", type=int, default=20, help="pixels of a picture")
    parser.add_argument("--examples", type=int, default=4000, help="training transitions")
    parser.add_argument("--episodes", type=int, default=500, help="test episodes")
    return parser.parse_args()


def cases(options: argparse.Namespace) -> list[Case]:
    """All trainings that are asked for, seed by seed."""
    tasks = {
        **{part: [(task, arm) for task in names for arm in options.arms] for part, names in sets(options).items()},
        "frames": [(task, arm) for task in ("any", "small") for arm in TURNS],
        "tilts": [(f"{tilt:g} degrees", "learned") for tilt in options.tilts],
        "stuck": [(task, "learned") for task in ("all move", "left is stuck")],
    }
    seeds = range(options.seeds)
    return [Case(part, task, arm, seed) for part in options.parts for seed in seeds for task, arm in tasks[part]]


def sets(options: argparse.Namespace) -> dict[str, list[str]]:
    """Names of training sets by their part."""
    arms = [name for name in options.sets if SETS[name][0] == "reacher"]
    return {"grids": [name for name in options.sets if name not in arms], "reacher": arms}


def trained(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Train one model, and measure it."""
    begun = time.process_time()
    run = {"grids": grids, "reacher": arm, "frames": frames, "tilts": tilts, "stuck": stuck}[case.part]
    result = {**case._asdict(), **run(case, options), "seconds": time.process_time() - begun}
    print(json.dumps(result), flush=True)
    return result


def fitted(model: nn.Module, objective: Any, train: Dataset, case: Case, options: argparse.Namespace) -> nn.Module:
    """The model after training."""
    optimiser = ls.training.OptimiserConfig(lr=3e-3, weight_decay=0.0, symmetry_lr=1e-2)
    batches = ls.data.Batches(train, options.batch, seed=case.seed)
    ls.training.fit(model, objective, batches, steps=options.steps, optimiser=optimiser, seed=case.seed)
    return model.eval()


def on_scene(
    scene: Scene, twin: Twin, width: int, case: Case, options: argparse.Namespace, **method: Any
) -> tuple[nn.Module, dict[str, Any]]:
    """A trained model of a scene, and what was measured of it."""
    train = transitions(scene.world, options.examples, scene.actions, 2 * case.seed)
    negatives, weight = LOSSES["torques" if case.part == "reacher" else "pushes"]
    loss = LossConfig(name="contrastive", negatives=negatives, negatives_weight=weight)
    chooser = Resilience(cost=COST) if twin == "learned" else TrainingLoss()
    net = ls.nets.NetConfig(name="world", width=width)
    setup = Setup(net=net, data=train.signature, loss=loss, twin=twin, chooser=chooser, steps=options.steps)
    chosen = registry["world_model"](**method)
    torch.manual_seed(case.seed)
    model = chosen.model(setup)
    fitted(model, chosen.objective(setup, model), train, case, options)
    return model, measured(model, scene, options.episodes)


def grids(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Objects that are pushed, by one of three arms."""
    return on_scene(grid(*SETS[case.task], options), TWINS[case.arm], options.width, case, options)[1]


def arm(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """The reacher, by one of three arms."""
    return on_scene(reacher(SETS[case.task][1]), TWINS[case.arm], options.reacher_width, case, options)[1]


def tilts(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Gains on the convolutions of pictures, against the tilt of the camera."""
    scene = grid("blocks", DIRECTIONS, options, tilt=float(case.task.split()[0]))
    model, found = on_scene(scene, "learned", options.width, case, options, relaxed="pictures", start=options.start)
    return {**found, "degree": degree(model)}


def stuck(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Gains on the maps of the transition, where one direction does nothing."""
    scene = grid("shapes", DIRECTIONS, options, stuck=("left",) if case.task == "left is stuck" else ())
    model, found = on_scene(scene, "learned", options.width, case, options, relaxed="transition", start=options.start)
    return {**found, "degree": degree(model)}


def degree(model: nn.Module) -> float:
    """The mean over layers of the size of the free branch beside the exact one."""
    estimates = [each.estimate for each in ls.degrees(model)]
    return sum(estimates) / len(estimates)


@torch.no_grad()
def near(frames: Tensor) -> Tensor:
    """Frames that are turned a little more, `(N, M, 3, 3)`."""
    turns = ls.data.worlds.small_turns()
    return torch.cat([turns, turns @ turns]) @ frames[:, None]


def frames(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Frames in space: hits among all frames, and among near ones."""
    world = FrameWorld(turns=case.task)
    train, test = (
        world.transitions(options.examples, seed=2 * case.seed),
        world.transitions(options.episodes, seed=1001),
    )
    free = case.arm == "none"
    torch.manual_seed(case.seed)
    # the free transition has parameters, so that the frame's perceptron is wider for as many in all
    transition = FreeTurn(64) if free else Turn()
    wanted = ls.nets.parameter_count(FrameModel(FrameEncoder(width=96, frame=False), FreeTurn(64)))
    width = 96 if free else ls.nets.matched_width(lambda w: FrameEncoder(width=w), wanted)
    model = FrameModel(FrameEncoder(width=width, frame=not free), transition)
    negatives, weight = LOSSES["frames"]
    fitted(model, Supervised(Contrastive(negatives=negatives, weight=weight)), train, case, options)
    with torch.no_grad():
        predicted, z = model(test.inputs).chunk(2, 1)
        others = near(test.y.unflatten(2, (3, 3))[:, 0])
        negatives = model.encoder(world.pictures(others.flatten(0, 1))).flatten(1).unflatten(0, (-1, HARD))
        easy, hard = ls.measure.retrieval(predicted, z), ls.measure.retrieval(predicted, z, negatives=negatives)
    return {
        "parameters": ls.nets.parameter_count(model),
        "hits@1, 1": easy.hits[1].mean,
        "hard hits@1": hard.hits[1].mean,
        "MRR, 1": easy.mrr.mean,
        "variance": easy.variance,
    }


SCENES = (
    *(f"hits@1, {steps}" for steps in HORIZONS),
    *(f"MRR, {steps}" for steps in HORIZONS),
    "EE(S)",
    "DIE(S)",
    "DIE(model)",
    "pixel error",
    "variance",
    "parameters",
    "seconds",
)
COLUMNS = {
    "grids": SCENES,
    "reacher": (
        *("hits@1, 1", "hits@10, 1", "MRR, 1", "hits@10, 5", "MRR, 5", "hits@10, 10", "MRR, 10"),
        *SCENES[SCENES.index("EE(S)") :],
    ),
    "frames": ("hits@1, 1", "hard hits@1", "MRR, 1", "variance", "parameters", "seconds"),
    "tilts": ("degree", "pixel error", "hits@1, 1", "hits@1, 10", "seconds"),
    "stuck": ("degree", "DIE(model)", "hits@1, 1", "hits@1, 10", "seconds"),
}
PAIRED = {
    "grids": ("hits@1, 5", "hits@1, 10"),
    "reacher": ("hits@1, 1", "MRR, 1", "hits@10, 5", "MRR, 5", "hits@10, 10", "MRR, 10"),
    "frames": ("hard hits@1",),
    "tilts": ("degree", "pixel error"),
    "stuck": ("degree", "DIE(model)"),
}
"""What is compared, seed by seed: arms of one task, or tasks of one arm."""
ORDER = (*TWINS, *TURNS, "learned")
PERCENT = ("hits", "MRR", "hard")


def tables(found: list[dict[str, Any]]) -> list[str]:
    """Two tables a part: means over seeds, and differences of pairs, with intervals at 90 %."""
    parts = {part: [row for row in found if row["part"] == part] for part in PARTS}
    return [text for part, rows in parts.items() if rows for text in (table(part, rows), differences(part, rows))]


def differences(part: str, rows: list[dict[str, Any]]) -> str:
    """The first less the second, over the seeds that both have."""
    names = PAIRED[part]
    lines = [f"| {' | '.join((part, 'difference', 'seeds', *names))} |", f"|{'---|' * (3 + len(names))}"]
    runs: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: ORDER.index(row["arm"])):
        runs.setdefault((row["task"], row["arm"]), {})[row["seed"]] = row
    for (task, arm), (other_task, other) in combinations(runs, 2):
        first, second = runs[other_task, other], runs[task, arm]
        seeds = sorted(first.keys() & second.keys())
        if not seeds or (task != other_task and (arm, other) != ("learned", "learned")):
            continue
        label = (task, f"{other} less {arm}") if task == other_task else (arm, f"{other_task} less {task}")
        cells = (paired(name, [(first[seed][name], second[seed][name]) for seed in seeds]) for name in names)
        lines.append(f"| {' | '.join((*label, str(len(seeds)), *cells))} |")
    return "\n".join(lines)


def paired(name: str, pairs: list[tuple[float, float]]) -> str:
    scale = 100 if name.startswith(PERCENT) else 1
    interval = over_seeds([scale * (first - second) for first, second in pairs])
    low, high = (interval.low, interval.high) if interval.low is not None else (float("nan"),) * 2
    return f"{interval.estimate:.3g} [{low:.3g}, {high:.3g}]"


def table(part: str, rows: list[dict[str, Any]]) -> str:
    columns = COLUMNS[part]
    lines = [f"| {' | '.join((part, 'arm', 'seeds', *columns))} |", f"|{'---|' * (3 + len(columns))}"]
    for task, arm in dict.fromkeys((row["task"], row["arm"]) for row in rows):
        same = [row for row in rows if (row["task"], row["arm"]) == (task, arm)]
        cells = [cell(name, [row[name] for row in same]) for name in columns]
        lines.append(f"| {' | '.join((task, arm, str(len(same)), *cells))} |")
    return "\n".join(lines)


def cell(name: str, values: list[float]) -> str:
    if name in ("parameters", "seconds"):
        return f"{sum(values) / len(values):,.0f}"
    shares = name.startswith(PERCENT)
    interval = over_seeds([100 * value for value in values] if shares else values)
    interval = interval.clipped(0.0, 100.0 if shares else float("inf"))
    low, high = (interval.low, interval.high) if interval.low is not None else (float("nan"),) * 2
    return (
        f"{interval.estimate:.1f} [{low:.1f}, {high:.1f}]"
        if shares
        else f"{interval.estimate:.3g} [{low:.3g}, {high:.3g}]"
    )


if __name__ == "__main__":
    main()
