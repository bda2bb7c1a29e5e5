"""Bad inputs of commands on folders of runs, comparisons and studies."""

from __future__ import annotations

from bad import Bad, needing
from broken_runs import (
    OWN,
    RUN,
    YAML,
    arms,
    as_row,
    broken,
    comparison,
    comparison_alone,
    cut,
    edited,
    folder,
    gone,
    journal,
    state,
    study,
    table,
)

ANALYZE, MEASURE, EXPORT = (
    "analyze run",
    "measure run --symmetry flip2d --out card",
    "export run --out model.pt2",
)
TRAIN, COMPARE, SCALE = "train c.yaml --out run", "compare c.yaml --out out", "scale out"
TUNE = "tune c.yaml --study s --trials 1 --out out"
HALF = broken("state.pt", state(step=1, finished=False))

WIDER = broken("config.yaml", YAML.replace('"width": 8', '"width": 9'))
BARE = {**broken("state.pt", gone), "run/weights.safetensors": gone}
CUT = {**BARE, "run/weights.safetensors": cut}

FOLDERS = [
    Bad("analyze nothing", ANALYZE, ("run: run holds no run", "learnsym train")),
    Bad("analyze a file", ANALYZE, ("run: run holds no run",), {"run": "text"}),
    Bad("analyze an empty folder", ANALYZE, ("run: run holds no run",), {"run": lambda path: path.mkdir()}),
    Bad("analyze a folder of something else", ANALYZE, ("run: run holds no run",), {"run/a.txt": "text"}),
    Bad("analyze with another key", "analyze run --train.steps 3", ("train.steps: is not a key",), RUN),
    Bad("measure a folder of something else", MEASURE, ("run: run is not a run folder",), {"run/a.txt": "text"}),
    Bad("export nothing", EXPORT, ("run: run is not a run folder",)),
    Bad("export a file", EXPORT, ("run: run is not a run folder",), {"run": "text"}),
]

UNFINISHED = [
    Bad(f"{words.split()[0]} an unfinished run", words, ("run: run has done 1 of 2 steps", "--unfinished"), HALF)
    for words in (ANALYZE, MEASURE, EXPORT)
]

RECORD = '{"version": 1, "data": "mine", "twin": "plain"}'
IN_PYTHON = {"run/own.json": RECORD}
MADE_IN_PYTHON = [
    Bad("analyze a run of Python with a key", f"{ANALYZE} --analysis.level 0.5", ("was trained in Python",), IN_PYTHON),
    Bad("analyze a run of Python that has no step", ANALYZE, ("run: run has done 0 of",), IN_PYTHON),
    Bad(
        "analyze runs of both kinds",
        "analyze .",
        ("runs made in Python",),
        {**RUN, "a/own.json": IN_PYTHON["run/own.json"]},
    ),
    Bad("analyze a broken record", ANALYZE, ("run/own.json",), {"run/own.json": "{"}),
    *(
        Bad(
            f"{words.split()[0]} a run of Python",
            words,
            ("run: run was trained in Python", "FILE.py:factory"),
            IN_PYTHON,
        )
        for words in (MEASURE, EXPORT)
    ),
]

OWN_MODULES = [
    Bad(f"{words.split()[0]} weights of an own module{flag}", words + flag, ("it has 1.weight", "in Python"), OWN)
    for words in (ANALYZE, MEASURE, EXPORT)
    for flag in ("", " --unfinished")
]

FILES = [
    Bad(f"analyze with {name}: {what}", ANALYZE, (f"run/{name}", *says), broken(name, content))
    for name, what, content, says in [
        ("data.json", "a list", "[]", ("holds []", "delete it")),
        ("data.json", "no shape", edited(in_shape=None), ("lacks 'in_shape'", "delete it")),
        ("data.json", "words", edited(in_shape=["a"]), ("in_shape is", "delete it")),
        ("data.json", "negative", edited(in_shape=[1, -8, 8]), ("in_shape is", "delete it")),
        ("data.json", "an unknown kind", edited(on_input={"kind": "Cloud"}), ("Cloud", "delete it")),
        ("data.json", "bytes", b"\x00\xff\x00", ("delete it",)),
        ("data.json", "a folder", folder, ("delete it",)),
        (
            "metrics.jsonl",
            "a garbled line",
            b'{"step": 1, "sp\n{"step": 2, "split": "val"}\n',
            ("line 1", "train again"),
        ),
        ("metrics.jsonl", "a list", "[1]\n", ("line 1", "must be an object")),
        ("metrics.jsonl", "no split", '{"step": 1}\n', ("line 1", "lacks 'split'")),
        ("metrics.jsonl", "bytes", b"\x00\xff\n", ("line 1",)),
        ("metrics.jsonl", "a folder", folder, ("train again",)),
        ("env.json", "a list", "[]", ("delete it",)),
        ("env.json", "half", cut, ("delete it",)),
        ("state.pt", "half", cut, ("delete it to train from the start",)),
        ("state.pt", "text", "text", ("delete it to train from the start",)),
        ("state.pt", "a folder", folder, ("delete it to train from the start",)),
        ("state.pt", "another version", state(version=99), ("has version 99",)),
        ("state.pt", "no version", state(version=None), ("lacks 'version'",)),
        ("state.pt", "no weights", state(weights=None), ("lacks 'weights'",)),
        ("state.pt", "words for steps", state(step="two"), ("'step' is 'two'",)),
    ]
]

RUNS = [
    Bad("weights of no network", ANALYZE, ("weights of run", "it lacks"), broken("state.pt", state(weights={}))),
    Bad("a configuration of another width", ANALYZE, ("weights of run", "is ("), WIDER),
    Bad("a garbled configuration", ANALYZE, ("run", "config.yaml"), broken("config.yaml", "data: [")),
    Bad("a configuration that is a list", ANALYZE, ("run", "config.yaml"), broken("config.yaml", "[1, 2]")),
    Bad("a configuration of bytes", ANALYZE, ("run", "config.yaml"), broken("config.yaml", b"\x00\xff")),
    Bad("no weights in the folder", ANALYZE, ("run: run has no weights", "learnsym train"), BARE),
    Bad("a member without weights", "analyze .", ("run: b has no weights",), {**RUN, "b/config.yaml": YAML}),
    Bad("half of the weights alone", ANALYZE, ("run/weights.safetensors is no whole",), CUT),
    Bad("measure half of the weights", MEASURE, ("run/weights.safetensors",), CUT),
    Bad("export a broken checkpoint", EXPORT, ("run/state.pt",), broken("state.pt", cut)),
    Bad("export without an ending", "export run --out model", ("out: model must end in .pt2",), RUN),
    Bad(
        "resume a broken checkpoint", TRAIN, ("run/state.pt", "delete it"), {**broken("state.pt", cut), "c.yaml": YAML}
    ),
    Bad("resume another module", TRAIN, ("checkpoint in run", "it has 1.weight"), {**OWN, "c.yaml": YAML}),
]

ROWS_OF_COMPARISON = [
    Bad(
        f"compare with a row: {what}",
        COMPARE,
        ("out/rows/b.json", *says, "its cell again"),
        comparison(rows__b_json=row),
    )
    for what, row, says in [
        ("a list", "[]", ("holds []",)),
        ("half", '{"cell": "b", "st', ()),
        ("bytes", b"\x00\xff", ()),
        ("a folder", folder, ()),
        ("no state", as_row(state=None), ("lacks 'state'",)),
        ("an unknown state", as_row(state="begun"), ("'begun'",)),
        ("words for numbers", as_row(test_loss="low"), ("'test_loss' is 'low'",)),
        ("no size", as_row(size=None), ("lacks 'size'",)),
        ("another cell", as_row(cell="a"), ("a row of 'a'",)),
        ("degrees that are none", as_row(degrees="[1]"), ("degrees hold",)),
        ("garbled degrees", as_row(degrees="["), ()),
    ]
]

PLANS = [
    Bad(f"compare with a plan: {what}", COMPARE, ("out/plan.json", *says), comparison(plan_json=content))
    for what, content, says in [
        ("a list", "[]", ("holds []", "delete it")),
        ("half", '{"version": 1, "ce', ("delete it",)),
        ("no cells", '{"version": 1}', ("lacks 'cells'", "delete it")),
        ("a list of cells", '{"version": 1, "cells": []}', ("'cells' is []", "delete it")),
        ("networks that are none", '{"version": 1, "cells": {}, "made_of": [], "networks": [3]}', ("holds 3",)),
        ("another version", '{"version": 9}', ("has version 9",)),
    ]
]

TABLES = [
    Bad(f"scale a table: {what}", SCALE, ("out", *says), comparison(table_parquet=content))
    for what, content, says in [
        ("unfinished", table(), ("has trained 1 of 2 cells", "learnsym compare", "--unfinished")),
        ("text", "no table", ("table.parquet cannot be read",)),
        ("empty", b"", ("table.parquet cannot be read",)),
        ("half", lambda path: (table()(path), cut(path)), ("table.parquet cannot be read",)),
        ("a folder", folder, ("has no table.parquet",)),
        ("no arms", table(arm=None), ("lacks arm",)),
        ("words for numbers", table(test_loss="low"), ("test_loss holds something else",)),
    ]
]
TABLES.append(Bad("scale a broken plan", SCALE, ("out/plan.json",), comparison(table_parquet=table(), plan_json="[]")))

COMPARISONS = [
    Bad("scale nothing", SCALE, ("folder: out has no table.parquet", "learnsym compare")),
    Bad("compare in a file", COMPARE, ("out",), {**comparison_alone(), "out": "text"}),
    Bad("compare in a folder of something else", COMPARE, ("holds a.txt",), {**comparison_alone(), "out/a.txt": ""}),
    Bad("an arm that is no mapping", COMPARE, ("arms",), {"c.yaml": "arms: {plain: 3}"}),
    Bad("an arm whose network is a number", COMPARE, ("arms.plain.net",), {"c.yaml": "arms: {plain: {net: 3}}"}),
]

NAMES = [
    Bad(f"an arm called {what}", COMPARE, ("arms: got", "; "), arms(name))
    for what, name in [
        ("nothing", ""),
        ("a blank", " "),
        ("at length", "a" * 3000),
        ("by two lines", "a\nb"),
        ("by a bell", "a\x07"),
        ("from right to left", "\u202ea"),
        ("by a path", "a/b"),
        ("by another path", "a\\b"),
    ]
]

STUDIES = [
    Bad("a study called by a path", TUNE.replace("--study s", "--study a/b"), ("study: got the name 'a/b'",), study()),
    Bad("a study at length", TUNE.replace("--study s", "--study " + "a" * 300), ("study: got",), study()),
    Bad("tune with a study.json: a list", TUNE, ("out/study.json",), study(study_json="[]")),
    Bad("tune with a study.json: half", TUNE, ("out/study.json",), study(study_json='{"stu')),
    Bad("tune with a study.json: no key", TUNE, ("out/study.json", "lacks 'key'"), study(study_json='{"study": "s"}')),
    Bad("tune in the folder of another", TUNE, ("another study, t",), study(study_json='{"study": "t", "key": "k"}')),
    Bad("tune in a file", TUNE, ("out",), {**study(), "out": "text"}),
    Bad("a journal of text", TUNE, ("is not a journal",), study(study_journal="text")),
    *[
        Bad(f"a garbled line {place + 1} of a journal", TUNE, (f"line {place + 1} of", "nothing is changed"), files)
        for place in (1, 3)
        for files in [study(study_journal=journal(place, b'{"op_code":4,"wor\n'))]
    ],
    Bad("a list in a journal", TUNE, ("line 2 of", "nothing is changed"), study(study_journal=journal(1, b"[]\n"))),
]

ROWS: list[Bad] = [
    *FOLDERS,
    *UNFINISHED,
    *OWN_MODULES,
    *MADE_IN_PYTHON,
    *FILES,
    *RUNS,
    *ROWS_OF_COMPARISON,
    *PLANS,
    *needing("pyarrow", TABLES),
    *COMPARISONS,
    *NAMES,
    *needing("optuna", STUDIES),
]
