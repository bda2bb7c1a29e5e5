"""Parts of structures: laws of getting and putting, and what is done to all tensors of a whole."""

import pickle
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

from learnsym.parts import Part, chosen, examples, joined, mapped, repeated, split, tensors_in

T, OTHER = torch.ones(2, 3), torch.zeros(2, 3)
Pair = namedtuple("Pair", "logits features")


@dataclass
class Out:
    logits: torch.Tensor
    features: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    logits: torch.Tensor
    features: torch.Tensor


class Slots:
    __slots__ = ("logits",)

    def __init__(self):
        self.logits = T


CASES = [
    ("logits", {"features": OTHER, "logits": T}),
    ("logits", OrderedDict(logits=T)),
    ("logits", Pair(T, OTHER)),
    ("0", Pair(T, OTHER)),
    ("features", Pair(T, T)),
    ("logits.a", Pair({"a": T}, OTHER)),
    ("logits", Out(T)),
    ("logits", Frozen(T, OTHER)),
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
    ("", T),
]


def _content(whole):
    """Everything in a structure, in a form that compares by value."""
    if isinstance(whole, torch.Tensor):
        return whole.tolist()
    if isinstance(whole, dict):
        return type(whole), {key: _content(value) for key, value in whole.items()}
    if isinstance(whole, (tuple, list)):
        return type(whole), [_content(value) for value in whole]
    names = [*getattr(whole, "__dict__", ()), *getattr(whole, "__slots__", ())]
    return type(whole), [(name, _content(getattr(whole, name))) for name in names]


@pytest.mark.parametrize(("key", "whole"), CASES)
def test_a_part_is_got_by_its_key(key, whole):
    assert torch.equal(Part(key).get(whole).expand(2, 3), T)


@pytest.mark.parametrize(("key", "whole"), CASES)
def test_laws_of_getting_and_putting(key, whole):
    part, before = Part(key), _content(whole)
    a, b = torch.tensor([1.5]), torch.tensor([2.5])
    assert part.get(part.put(whole, a)) is a
    assert _content(part.put(whole, part.get(whole))) == before
    assert _content(part.put(part.put(whole, a), b)) == _content(part.put(whole, b))
    assert _content(whole) == before  # a copy was changed


def test_a_part_compares_hashes_and_pickles_by_value():
    part = Part("heads.0", "output")
    assert pickle.loads(pickle.dumps(part)) == part
    assert len({part, Part("heads.0", "output")}) == 1


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"logits": T, "mean": T}, "output: got 'logit', but there is a dict with keys logits, mean; name one of them"),
        (Pair(T, T), "'logit', but there is a Pair with parts logits, features, 0, 1"),
        (Out(T), "'logit', but there is a Out with parts logits, features"),
        ((T, T), "'logit', but there is a tuple with parts 0, 1"),
        (T, "one tensor; leave out"),
        (None, "'logit', but there is a NoneType"),
    ],
)
def test_a_part_that_is_not_there_is_refused_with_those_that_are(returned, message):
    with pytest.raises(ValueError, match=message):
        Part("logit", "output").get(returned)
    with pytest.raises(ValueError, match=message):
        Part("logit", "output").put(returned, T)


WHOLES = [
    torch.arange(6.0).view(3, 2),
    {"image": torch.arange(6.0).view(3, 2), "age": torch.arange(3), "scale": torch.tensor(2.0)},
    (torch.arange(3), [torch.arange(3.0)], "left"),
    Pair(torch.arange(3), {"deep": torch.arange(3)}),
    Frozen(torch.arange(3), torch.arange(3)),
]


@pytest.mark.parametrize("whole", WHOLES)
def test_batches_joined_are_the_whole(whole):
    first, second = split(whole, 2)
    assert [examples(each) for each in (whole, first, second)] == [3, 2, 1]
    assert _content(joined([first, second])) == _content(whole)
    assert _content(mapped(torch.clone, whole)) == _content(whole)


@pytest.mark.parametrize("whole", WHOLES)
def test_copies_follow_one_another(whole):
    twice = repeated(whole, 2)
    for half in (slice(0, 3), slice(3, 6)):
        assert _content(chosen(twice, half)) == _content(whole)


def test_tensors_have_the_keys_that_get_them():
    whole = {"a": (T, {"b": OTHER}), "pair": Pair(T, OTHER), "none": None}
    assert [key for key, _ in tensors_in(whole)] == ["a.0", "a.1.b", "pair.logits", "pair.features"]
    assert all(Part(key).get(whole) is tensor for key, tensor in tensors_in(whole))


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        ({"image": torch.zeros(3, 2), "age": torch.zeros(2)}, r"x: .* \(3 in image, 2 in age\); give one row"),
        ({"name": "left"}, "x: got a dict with keys name, which holds no tensor"),
        (torch.tensor(1.0), "x: got a Tensor, which holds no tensor with a batch axis"),
    ],
)
def test_examples_that_cannot_be_counted_are_refused(whole, message):
    with pytest.raises(ValueError, match=message):
        examples(whole)
