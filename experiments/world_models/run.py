"""Symmetric embeddings for world models: do latents carry what was learned of some pushes to others?

python experiments/world_models/run.py --out runs/world_models
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.data import Dataset
from learnsym.data.worlds import DIRECTIONS, Blocks, FrameWorld, GridWorld, Shapes
from learnsym.methods import Setup, Twin, registry
from learnsym.nets.world import FrameEncoder, FrameModel, FreeTurn, Turn
from learnsym.objectives import Contrastive, LossConfig, Supervised
from learnsym.objectives.choosers import Resilience, TrainingLoss
from learnsym.statistics import over_seeds

SETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "shapes, all": ("shapes", DIRECTIONS),
    "shapes, up only": ("shapes", ("up",)),
    "blocks, all": ("blocks", DIRECTIONS),
    "blocks, no left": ("blocks", ("right", "up", "down")),
}
TWINS: dict[str, Twin] = {"none": "plain", "full": "exact", "ours": "fixed"}
TURNS = ("none", "matrix product")
PARTS = ("frames", "grids", "tilts", "stuck")
LOSS = {"negatives": 16, "weight": 10.0}
COST = 0.03
"""Of slack in the gains of pictures and transitions."""
TILTS = (0.0, 60.0)
QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
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
    parser.add_argument(
        "--sets", nargs="+", choices=list(SETS), default=["shapes, all", "shapes, up only", "blocks, no left"]
    )
    parser.add_argument("--arms", nargs="+", choices=list(TWINS), default=list(TWINS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument(
        "--width", type=int, default=2, help="regular fields of the plain twin; others have as many parameters"
    )
    parser.add_argument("--objects", type=int, default=2)
    parser.add_argument("--size", type=int, default=20, help="pixels of a picture")
    parser.add_argument("--examples", type=int, default=4000, help="training transitions")
    parser.add_argument("--episodes", type=int, default=500, help="test episodes")
    return parser.parse_args()


def cases(options: argparse.Namespace) -> list[Case]:
    """All trainings that are asked for, seed by seed."""
    tasks = {
        "grids": [(task, arm) for task in options.sets for arm in options.arms],
        "frames": [(task, arm) for task in ("any", "small") for arm in TURNS],
        "tilts": [(f"{tilt:g} degrees", "learned") for tilt in TILTS],
        "stuck": [(task, "learned") for task in ("all move", "left is stuck")],
    }
    seeds = range(options.seeds)
    return [Case(part, task, arm, seed) for part in options.parts for seed in seeds for task, arm in tasks[part]]


def trained(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Train one model, and measure it."""
    begun = time.process_time()
    run = {"grids": grids, "frames": frames, "tilts": tilts, "stuck": stuck}[case.part]
    result = {**case._asdict(), **run(case, options), "seconds": time.process_time() - begun}
    print(json.dumps(result), flush=True)
    return result


def fitted(model: nn.Module, objective: Any, train: Dataset, case: Case, options: argparse.Namespace) -> nn.Module:
    """The model after training."""
    optimiser = ls.training.OptimiserConfig(lr=3e-3, weight_decay=0.0, symmetry_lr=1e-2)
    batches = ls.data.Batches(train, options.batch, seed=case.seed)
    ls.training.fit(model, objective, batches, steps=options.steps, optimiser=optimiser, seed=case.seed)
    return model.eval()


def on_grid(
    world: GridWorld, twin: Twin, directions: Sequence[str], case: Case, options: argparse.Namespace, **method: Any
) -> tuple[nn.Module, dict[str, Any]]:
    """A trained model of pushed objects, and what was measured of it."""
    train = world.transitions(options.examples, directions, seed=2 * case.seed)
    loss = LossConfig(name="contrastive", negatives=LOSS["negatives"], negatives_weight=LOSS["weight"])
    chooser = Resilience(cost=COST) if twin == "learned" else TrainingLoss()
    net = ls.nets.NetConfig(name="world", width=options.width)
    setup = Setup(net=net, data=train.signature, loss=loss, twin=twin, chooser=chooser, steps=options.steps)
    chosen = registry["world_model"](**method)
    torch.manual_seed(case.seed)
    model = chosen.model(setup)
    fitted(model, chosen.objective(setup, model), train, case, options)
    return model, measured(model, world, options)


@torch.no_grad()
def measured(model: Any, world: GridWorld, options: argparse.Namespace) -> dict[str, Any]:
    """Hits after 1 and 5 pushes in any direction, and how symmetric the latents are."""
    found: dict[str, Any] = {"parameters": ls.nets.parameter_count(model)}
    for steps in (1, 5):
        r = world.rollouts(options.episodes, steps, seed=1001)
        scores = ls.measure.retrieval(model.rollout(r.before / 255, r.actions), encoded(model, r.after), r.state)
        found |= {f"hits@{k}, {steps}": scores.hits[k].mean for k in scores.hits}
        found |= {f"MRR, {steps}": scores.mrr.mean, "variance": scores.variance}
    random = torch.Generator().manual_seed(7)
    state = world.states(options.episodes, random)
    push = world.actions(options.episodes, random)
    g = QUARTER.expand(len(state), 2, 2)
    regular = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), world.objects)
    turned, moved_push = world.turned(state, 1), regular.mix(g, push)
    z, moved = (encoded(model, world.pictures(s)) for s in (state, turned))
    next_, moved_next = (
        encoded(model, world.pictures(world.step(s, a))) for s, a in ((state, push), (turned, moved_push))
    )
    p, moved_p = (
        model.transition(latent.unflatten(1, (world.objects, -1)), a).flatten(1)
        for latent, a in ((z, push), (moved, moved_push))
    )
    x = {"before": world.pictures(state) / 255, "action": push, "after": world.pictures(world.step(state, push)) / 255}
    tested = registry["world_model"]().tested(world.transitions(2).signature)
    return {
        **found,
        "EE(S)": ls.measure.latent_equivariance_error(moved, regular.mix(g, z)).mean,
        "DIE(S)": ls.measure.distance_invariance_error(z, z, moved, moved).mean,
        "DIE(model)": ls.measure.distance_invariance_error(p, next_, moved_p, moved_next).mean,
        "pixel error": ls.measure.equivariance_error(model, x, tested, samples=3).mean,
    }


def encoded(model: Any, pictures: Tensor) -> Tensor:
    """Latents of pictures, flat."""
    return model.encoder(pictures / 255).flatten(1)


def grids(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    view, directions = SETS[case.task]
    world = GridWorld(view=Shapes() if view == "shapes" else Blocks(), objects=options.objects, size=options.size)
    return on_grid(world, TWINS[case.arm], directions, case, options)[1]


def tilts(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Gains on the convolutions of pictures, against the tilt of the camera."""
    world = GridWorld(view=Blocks(float(case.task.split()[0])), objects=options.objects, size=options.size)
    model, found = on_grid(world, "learned", DIRECTIONS, case, options, relaxed="pictures")
    return {**found, "degree": degree(model)}


def stuck(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Gains on the maps of the transition, where one direction does nothing."""
    none = ("left",) if case.task == "left is stuck" else ()
    world = GridWorld(objects=options.objects, size=options.size, stuck=none)
    model, found = on_grid(world, "learned", DIRECTIONS, case, options, relaxed="transition")
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
    fitted(model, Supervised(Contrastive(**LOSS)), train, case, options)
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


COLUMNS = {
    "grids": (
        "hits@1, 1",
        "hits@1, 5",
        "MRR, 5",
        "EE(S)",
        "DIE(S)",
        "DIE(model)",
        "pixel error",
        "variance",
        "parameters",
        "seconds",
    ),
    "frames": ("hits@1, 1", "hard hits@1", "MRR, 1", "variance", "parameters", "seconds"),
    "tilts": ("degree", "pixel error", "hits@1, 1", "hits@1, 5", "seconds"),
    "stuck": ("degree", "DIE(model)", "hits@1, 1", "hits@1, 5", "seconds"),
}
PERCENT = ("hits", "MRR", "hard")


def tables(found: list[dict[str, Any]]) -> list[str]:
    """One table a part: means over seeds with intervals at 90 %."""
    return [table(part, rows) for part in PARTS if (rows := [row for row in found if row["part"] == part])]


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
