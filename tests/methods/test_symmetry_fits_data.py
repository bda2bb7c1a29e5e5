"""A symmetry must fit the data: images are no clouds of points, whatever their number of columns."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.augment import Augmented, OrbitAveraged
from learnsym.data import Signature
from learnsym.methods import registry
from learnsym.methods._method import Setup
from learnsym.nets import NetConfig
from learnsym.objectives import Candidate, LossConfig, MovedExamples, Remul, mse
from learnsym.objectives.choosers import TrainingLoss
from learnsym.training.config_file import config_of

REMUL = registry["remul"]
IMAGES = [(2, 1, 8, 8), (2, 1, 3, 3), (2, 3, 5, 3)]
CLOUDS = ["so3", "o3", "so2_z", "octahedral", "se3"]


def flattened(outputs=1):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(outputs))


@pytest.mark.parametrize("symmetries", [["so3"], ["rotation2d", "o3"], ["octahedral"]])
def test_clouds_on_networks_of_images_are_refused_before_data_are_read(symmetries):
    method = REMUL(symmetries=symmetries)
    with pytest.raises(ValueError, match=r"^method.symmetries: got .* takes images"):
        method.check(NetConfig(name="cnn"), LossConfig(), ["learned"], TrainingLoss())


def test_images_on_networks_of_clouds_are_refused():
    with pytest.raises(ValueError, match=r"^method.symmetries: got .* takes clouds"):
        REMUL(symmetries=["rotation2d"]).check(
            NetConfig(name="transformer"), LossConfig(name="mse"), [], TrainingLoss()
        )


def test_the_default_on_digits_is_refused():
    with pytest.raises(ValueError, match=r"^method.symmetries: got \['so3'\]"):
        config_of({"method": {"name": "remul"}, "data": {"name": "digits", "size": 8}})


@pytest.mark.parametrize("name", ["so3", "o3", "se3", "lorentz", "hue_saturation", "permutation4"])
def test_a_signature_gives_only_symmetries_that_move_its_examples(name):
    with pytest.raises(ValueError, match=rf"^symmetry: got '{name}', which does not move examples of shape"):
        Signature(in_shape=(1, 8, 3)).symmetry(name)
    assert Signature(in_shape=(1, 8, 3)).symmetry("rotation2d").name == "SO(2)"


@pytest.mark.parametrize("method", ["augerino", "instance_wise"])
@pytest.mark.parametrize("twin", ["learned", "exact"])
def test_methods_for_images_refuse_other_symmetries(method, twin):
    made = registry[method](symmetry="hue_saturation", exact="so3")
    setup = Setup(net=NetConfig(name="cnn", width=4, depth=1), data=Signature(in_shape=(1, 8, 8), classes=3), twin=twin)
    with pytest.raises(ValueError, match=r"^symmetry: got "):
        made.model(setup)


@pytest.mark.parametrize("shape", IMAGES)
def test_points_do_not_turn_columns_of_pixels(shape):
    symmetry, x, y = ls.symmetry.so3(), torch.rand(shape), torch.rand(shape[0], 1)
    with pytest.raises(ValueError, match=r"^x: got shape"):
        symmetry.on_input(symmetry.group.haar(len(x)), x)
    models = [Augmented(flattened(), symmetry), OrbitAveraged(flattened(), symmetry)]
    calls = [lambda model=model: model(x) for model in models]
    calls += [lambda: Remul(mse, Candidate(symmetry=symmetry))(flattened(), (x, y))]
    calls += [lambda: MovedExamples(mse, symmetry)(flattened(), (x, y))]
    for call in calls:
        with pytest.raises(ValueError, match=r"^x: got shape"):
            call()


def test_permutations_take_sets_of_their_size():
    with pytest.raises(ValueError, match=r"^x: got shape \(2, 5, 3\)"):
        ls.actions.Set()(torch.eye(4).expand(2, 4, 4), torch.rand(2, 5, 3))


@pytest.mark.parametrize("method", ["augerino", "instance_wise", "remul"])
@pytest.mark.parametrize("average", ["log_probabilities", "probabilities"])
def test_probabilities_of_classes_are_refused_for_numbers(method, average):
    made = registry[method](average=average, **({"symmetries": ["rotation2d"]} if method == "remul" else {}))
    with pytest.raises(ValueError, match=r"^method.average: got "):
        made.check(NetConfig(name="cnn"), LossConfig(name="mse"), ["learned"], TrainingLoss())
    made.check(NetConfig(name="cnn"), LossConfig(), ["learned"], TrainingLoss())
