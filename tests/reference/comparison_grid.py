"""The slow, obvious twins of a comparison's grid: every configuration made and written out by itself."""

import hashlib
import itertools
import json
import math
from dataclasses import asdict, replace

from learnsym.comparison.grid import training_examples
from learnsym.training import RunConfig
from learnsym.training.build import member
from learnsym.training.config_file import CHOSEN, RUNTIME


def hash_of(config):
    """Hash of all keys of a configuration that are not at their defaults."""
    ours, usual = flat(asdict(config)), flat(asdict(RunConfig()))
    for section in CHOSEN:
        defaults = asdict(type(getattr(config, section))())
        usual |= flat(defaults, f"{section}.") | {f"{section}.name": None}
    own = {k: v for k, v in ours.items() if usual.get(k) != v and not k.startswith((*RUNTIME, "data.label"))}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:12]


def flat(values, prefix=""):
    found = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {f"{prefix}{key}": value}
    return found


def configs(config, widths):
    """Arm, size and configuration of each cell of a comparison."""
    found = []
    for arm, base in config.arm_configs.items():
        for size in config.sizes or [config.arm_configs[config.reference_arm].net.width]:
            own = replace(base, net=replace(base.net, width=widths[arm, size]))
            for train in config.train_sizes or [training_examples(base)]:
                lengths = [math.ceil(e * train / base.train.batch_size) for e in config.epochs]
                lengths = lengths or config.steps or [base.train.steps]
                for steps, lr, seed in itertools.product(lengths, config.lrs or [base.optimiser.lr], config.seeds):
                    found.append((arm, size, one(own, train, steps, lr, seed, config.redraw)))
    return found


def one(base, train, steps, lr, seed, redraw):
    return replace(
        member(base, base.twin, seed),
        data=replace(base.data, train=train, seed=base.data.seed + seed if redraw else base.data.seed),
        optimiser=replace(base.optimiser, lr=lr),
        train=replace(base.train, steps=steps, eval_every=base.train.eval_every or steps),
    )
