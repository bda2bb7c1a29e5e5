"""Where the error of large networks at initialisation comes from, and what that depends on."""

from collections.abc import Iterator, Mapping
from itertools import combinations, product

import numpy as np
import torch
from inputs import INPUTS, images, interval, photographs
from torch import nn

import learnsym as ls

SYMMETRY = ls.Symmetry(ls.groups.Affine2(), ls.actions.Image(padding="reflection"))
NETWORKS = {
    # as they come, the blocks of these two add nothing or next to nothing
    "resnet18": {"zero_init_last": False},
    "convnext_atto": {"ls_init_value": 1.0},
    "vit_tiny_patch16_224": {},
    "swin_tiny_patch4_window7_224": {},
}
AXES = {
    "input": INPUTS,
    "derivative": ("spectral", "central", "bilinear"),
    "generator": ("translation_x", "rotation", "scale"),
}
SEEDS, SMALLEST = 3, 0.01
STEMS = ("conv1", "stem.0", "patch_embed.proj", "patches")
CLASSES = {
    "nonlinearity": (nn.ReLU, nn.GELU),
    "normalisation": (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d),
    "average": (nn.AdaptiveAvgPool2d,),
    "downsampling": (nn.MaxPool2d,),
}


def kind_of(site: str, modules: Mapping[str, nn.Module]) -> str:
    """What a site is for."""
    path, _, function = site.partition(" · ")
    module = None if function else modules.get(path)
    if path in STEMS and not function:
        return "stem"
    if function in ("relu", "gelu"):
        return "nonlinearity"
    if "attn" in path:
        return "attention"
    kind = next((kind for kind, classes in CLASSES.items() if isinstance(module, classes)), None)
    if kind is not None:
        return kind
    if isinstance(module, nn.Conv2d):
        return "convolution" if module.stride == (1, 1) else "downsampling"
    if function == "mean" or path.endswith("pool"):
        return "average"
    return "downsampling" if path.endswith("reduction") else "other"


def by_kind(found: ls.measure.Attribution, net: nn.Module) -> dict[str, float]:
    """Shares of the squared error, summed over sites of a kind."""
    shares: dict[str, float] = {}
    modules = dict(net.named_modules())
    for row in found.rows:
        kind = kind_of(row.site, modules)
        shares[kind] = shares.get(kind, 0.0) + row.share.mean
    return {kind: round(share, 3) for kind, share in shares.items()}


def rows() -> Iterator[dict]:
    """Each seed has weights, a photograph and noise of its own."""
    photos = photographs(SEEDS)
    for name, seed in product(NETWORKS, range(SEEDS)):
        torch.manual_seed(seed)
        net = ls.nets.timm_model(name, **NETWORKS[name])
        inputs = {kind: images(kind, photos[seed : seed + 1], 224) for kind in INPUTS}
        for kind, derivative, generator in product(*AXES.values()):
            found = ls.measure.attribute(net, inputs[kind], SYMMETRY, generator, derivative=derivative)
            case = {"network": name, "seed": seed, "input": kind, "derivative": derivative, "generator": generator}
            measured = {"total": float(f"{found.total.mean:.4g}"), "unattributed": float(f"{found.unattributed:.1e}")}
            sites = {r.site: round(r.share.mean, 3) for r in found.rows if abs(r.share.mean) >= SMALLEST}
            yield case | measured | {"kinds": by_kind(found, net), "sites": sites}


def agreement(found: list[dict], axis: str, pair: tuple[str, str], **given: str) -> tuple[float, float, float]:
    """Cosine of the shares of sites between two inputs, derivatives or generators: means over seeds."""
    chosen = [row for row in found if all(row[key] == value for key, value in given.items())]
    others = [key for key in ("network", "seed", *AXES) if key != axis]
    sites = {(*(row[key] for key in others), row[axis]): row["sites"] for row in chosen}
    by_seed: dict[int, list[float]] = {}
    for key in dict.fromkeys(key[:-1] for key in sites):
        by_seed.setdefault(key[1], []).append(cosine(sites[*key, pair[0]], sites[*key, pair[1]]))
    return interval([float(np.mean(values)) for values in by_seed.values()])


def cosine(a: dict[str, float], b: dict[str, float]) -> float:
    """1 where sites have shares in the same proportions; sites that are not named have next to none."""
    return sum(share * b.get(site, 0.0) for site, share in a.items()) / (norm(a) * norm(b))


def norm(shares: dict[str, float]) -> float:
    return sum(share**2 for share in shares.values()) ** 0.5


def show(found: list[dict]) -> None:
    for name in NETWORKS:
        of_net = [row for row in found if row["network"] == name]
        print(f"{name}: largest |unattributed| {max(abs(row['unattributed']) for row in of_net):.0e}")
        for case in product(*AXES.values()):
            print(" ", *case, line([row for row in of_net if tuple(row[axis] for axis in AXES) == case]))
    print("agreement of shares (cosine), mean over networks and cases, over seeds")
    for axis in AXES:
        given = "derivative" if axis == "input" else "input"
        for pair, value in product(combinations(AXES[axis], 2), AXES[given]):
            numbers = agreement(found, axis, pair, **{given: value})
            print(f"  {' - '.join(pair):28s} {value:9s}", "{:.2f} [{:.2f}, {:.2f}]".format(*numbers))


def line(chosen: list[dict]) -> str:
    """Means over seeds: the error and the largest kinds of site, with the half-widths of their intervals."""
    kinds = dict.fromkeys(kind for row in chosen for kind in row["kinds"])
    found = {kind: interval([row["kinds"].get(kind, 0.0) for row in chosen]) for kind in kinds}
    largest = sorted(found.items(), key=lambda item: -abs(item[1][0]))[:4]
    cells = "  ".join(f"{kind} {mean:+.2f} ± {high - mean:.2f}" for kind, (mean, _, high) in largest)
    return f"{np.mean([row['total'] for row in chosen]):.3g}  {cells}"
