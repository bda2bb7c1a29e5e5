"""What people call splits, inputs and targets."""

from __future__ import annotations

from collections.abc import Collection, Iterable

SPLIT_NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
PAIRS = (
    *(("x", "y"), ("images", "labels"), ("image", "label"), ("data", "target"), ("data", "labels")),
    *(("inputs", "targets"), ("features", "labels"), ("data", "targets"), ("images", "masks"), ("x", "labels")),
)
"""Names of inputs and targets that belong together."""


def split_of(name: str) -> str | None:
    """Which split a word stands for; None for another word.

    Example:
        >>> from learnsym.data.own.names import split_of
        >>> split_of("Validation"), split_of("cats")
        ('val', None)
    """
    return next((split for split, names in SPLIT_NAMES.items() if name.lower() in names), None)


def pair_in(names: Iterable[str]) -> tuple[str, str | None] | None:
    """The names of inputs and, where there are any, targets among some names; None where there are no inputs.

    Example:
        >>> from learnsym.data.own.names import pair_in
        >>> pair_in(["labels", "images", "ids"]), pair_in(["X"])
        (('images', 'labels'), ('X', None))
    """
    by_lower = {name.lower(): name for name in names}
    both = next(((by_lower[x], by_lower[y]) for x, y in PAIRS if x in by_lower and y in by_lower), None)
    alone = next(((by_lower[x], None) for x, _ in PAIRS if x in by_lower), None)
    return both or alone


def pairs_by_split(names: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Names such as `train_images` and `y_test`, by split, inputs and targets.

    Example:
        >>> from learnsym.data.own.names import pairs_by_split
        >>> pairs_by_split(["x_train", "y_train", "x_test", "y_test"])
        {'train': ('x_train', 'y_train'), 'test': ('x_test', 'y_test')}
    """
    words: dict[str, dict[str, str]] = {}
    for name in names:
        first, _, last = name.partition("_")
        for split, rest in ((split_of(first), last), (split_of(last), first)):
            if split is not None and rest:
                words.setdefault(split, {})[rest] = name
    found = {split: (members, pair_in(members)) for split, members in words.items()}
    return {
        split: (members[pair[0]], None if pair[1] is None else members[pair[1]])
        for split, (members, pair) in found.items()
        if pair is not None
    }
