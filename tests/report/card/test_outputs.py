"""Parts of what a model returns, by name."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

from learnsym.report.card import output_named

T, OTHER = torch.ones(2, 3), torch.zeros(2, 3)
Pair = namedtuple("Pair", "logits features")


@dataclass
class Out:
    logits: torch.Tensor
    features: torch.Tensor | None = None


class Slots:
    __slots__ = ("logits",)

    def __init__(self):
        self.logits = T


@pytest.mark.parametrize(
    ("key", "returned"),
    [
        ("logits", {"features": OTHER, "logits": T}),
        ("logits", OrderedDict(logits=T)),
        ("logits", Pair(T, OTHER)),
        ("0", Pair(T, OTHER)),
        ("logits", Out(T)),
        ("logits", SimpleNamespace(logits=T)),
        ("logits", Slots()),
        ("1", (OTHER, T)),
        ("1", [OTHER, T]),
        ("1", {0: OTHER, 1: T}),
        ("values", T.max(0, keepdim=True)),
        ("heads.1", {"heads": [OTHER, T]}),
        ("heads.logits", {"heads": Out(T)}),
        ("a.b", {"a.b": T, "a": {"b": OTHER}}),
        ("a.b.0", {"a": {"b": (T,)}}),
    ],
)
def test_parts(key, returned):
    assert torch.equal(output_named(key)(returned).expand(2, 3), T)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"logits": T, "mean": T}, "'logit', but the model returns a dict with keys logits, mean; name one of them"),
        (Pair(T, T), "'logit', but the model returns a Pair with parts logits, features, 0, 1"),
        (Out(T), "'logit', but the model returns a Out with parts logits, features"),
        ((T, T), "'logit', but the model returns a tuple with parts 0, 1"),
        (T, "one tensor"),
        (None, "'logit', but the model returns a NoneType"),
    ],
)
def test_a_part_that_is_not_there_is_refused_with_those_that_are(returned, message):
    with pytest.raises(ValueError, match=message):
        output_named("logit")(returned)
