"""The classifier of scikit-learn: its contract, images in all forms, and what it refuses."""

import pickle

import jaxtyping
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import check_estimator
from torch import nn

import learnsym as ls

QUICK = {"steps": 20, "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.images[:200], data.target[:200]


@pytest.fixture
def without_type_checks():
    """The contract asks for objects that are made with any arguments, and refuse them when they are fitted."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.slow
def test_the_contract_of_scikit_learn(without_type_checks):
    check_estimator(ls.LearnedSymmetryClassifier(steps=100))


def test_images_in_all_forms_are_the_same(digits):
    images, labels = digits
    forms = {"images": images, "channels": images[:, None], "rows": images.reshape(len(images), -1)}
    found = {}
    for name, x in forms.items():
        shape = (8, 8) if name == "rows" else None
        classifier = ls.LearnedSymmetryClassifier(["rotation2d", "flip2d"], image_shape=shape, **QUICK)
        found[name] = classifier.fit(x, labels).predict_proba(x)
        assert {degree.generator for degree in classifier.degrees_} == {"rotation", "reflection at 90"}
    np.testing.assert_array_equal(found["images"], found["channels"])
    np.testing.assert_array_equal(found["images"], found["rows"])
    np.testing.assert_allclose(found["images"].sum(1), 1.0, atol=1e-6)


def test_it_learns_labels_of_any_kind(digits):
    images, labels = digits
    few = labels < 3
    names = np.array(["zero", "one", "two"])[labels[few]]
    classifier = ls.LearnedSymmetryClassifier(steps=150, lr=1e-2, random_state=0).fit(images[few], names)
    assert list(classifier.classes_) == ["one", "two", "zero"]
    assert classifier.score(images[few], names) > 0.9


def test_vectors_have_no_symmetry_to_be_learned():
    x = np.random.default_rng(0).normal(size=(60, 5))
    classifier = ls.LearnedSymmetryClassifier(steps=150, lr=1e-2, random_state=0).fit(x, x[:, 0] > 0)
    assert classifier.degrees_ == [] and classifier.score(x, x[:, 0] > 0) > 0.9


def test_a_seed_determines_it_and_copies_agree(digits):
    images, labels = digits
    classifier = ls.LearnedSymmetryClassifier(**QUICK).fit(images, labels)
    again = clone(classifier).fit(images, labels)
    expected = classifier.predict_proba(images)
    np.testing.assert_array_equal(again.predict_proba(images), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict_proba(images), expected)
    state = torch.random.get_rng_state()
    classifier.fit(images, labels)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_network_of_your_own(digits):
    def net(shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes))

    classifier = ls.LearnedSymmetryClassifier("scale2d", net=net, **QUICK).fit(*digits)
    assert isinstance(classifier.model_.net[1], nn.Linear)


@pytest.mark.parametrize(
    ("options", "shape", "sentence"),
    [
        ({"image_shape": (7, 8)}, (10, 64), r"^image_shape: got \(7, 8\) for rows of 64 numbers"),
        ({}, (10, 2, 2, 8, 8), r"^X: got shape \(10, 2, 2, 8, 8\), must be"),
        ({"symmetries": "turn"}, (10, 8, 8), r"^symmetry: got 'turn', must be one of"),
    ],
)
def test_bad_input(options, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        ls.LearnedSymmetryClassifier(**QUICK, **options).fit(np.zeros(shape), np.arange(10) % 2)
