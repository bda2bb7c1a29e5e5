"""Law of the library's exceptions: each reaches another process as what it is, with its text and what it carries."""

from __future__ import annotations

import builtins
import importlib
import pickle
import re
from pathlib import Path

import pytest
import torch

import learnsym
from learnsym._batches import NeedsMore
from learnsym.training import EnsembleHistory, Interrupted, MembersFailed, MembersNonFinite, NonFiniteLoss
from learnsym.training.sendable import sendable

CLASS = re.compile(r"^class (\w+)\((?:\w+\.)*(\w+)", re.MULTILINE)
HISTORY = EnsembleHistory(torch.ones(3, 2), torch.ones(3, 2))
MADE = {
    NonFiniteLoss: lambda: NonFiniteLoss("not finite", 3),
    MembersNonFinite: lambda: MembersNonFinite({1: 4, 2: 3}, HISTORY),
    MembersFailed: lambda: MembersFailed({"learned-0": NonFiniteLoss("not finite", 3)}),
    NeedsMore: lambda: NeedsMore("an example takes 3G", 3 << 30, 1 << 30, 2),
    Interrupted: lambda: Interrupted(15, "stopped"),
}
"""Those whose constructor takes more than a message."""


def exceptions():
    """All that the modules of the library define, found by their source, so that no other module is imported."""
    root = Path(learnsym.__file__).parent
    bases = {name: (base, path) for path in root.rglob("*.py") for name, base in CLASS.findall(path.read_text())}
    found = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
    while own := {name for name, (base, _) in bases.items() if base in found} - found:
        found |= own
    modules = {name: bases[name][1].relative_to(root.parent).with_suffix("") for name in sorted(found & bases.keys())}
    return [getattr(importlib.import_module(".".join(path.parts)), name) for name, path in modules.items()]


@pytest.mark.parametrize("kind", exceptions(), ids=lambda kind: kind.__name__)
def test_survives_pickling(kind):
    error = MADE.get(kind, lambda: kind("what went wrong"))()
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind and str(copy) == str(error) and str(error)
    assert vars(copy).keys() == vars(error).keys()
    assert sendable(error) is error


def test_carries_what_it_knows():
    copy = pickle.loads(pickle.dumps(MADE[MembersNonFinite]()))
    assert copy.step == 3 and copy.members == {1: 4, 2: 3} and torch.equal(copy.history.losses, HISTORY.losses)
    (inner,) = pickle.loads(pickle.dumps(MADE[MembersFailed]())).errors.values()
    assert isinstance(inner, NonFiniteLoss) and inner.step == 3


class Foreign(Exception):
    """As exceptions of other libraries are that take other arguments than they hand on."""

    def __init__(self, number, reason):
        super().__init__(f"{reason} in {number}")


def test_foreign_exceptions_are_sent_as_their_text():
    sent = sendable(Foreign(3, "fault"))
    assert type(sent) is RuntimeError and str(sent) == "Foreign: fault in 3"
    assert str(sendable(SystemExit())) == "SystemExit"
