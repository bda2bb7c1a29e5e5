"""Self-supervision as a method: pretexts and twins, weights for another run, what does not fit in one sentence."""

import pytest
import torch

import learnsym as ls
from learnsym.data import Batches
from learnsym.training import RunConfig, build, fit, train_member
from learnsym.training.config_file import config_of
from tests.methods.conftest import DIGITS, NETS

TILED = {**DIGITS, "size": 12}


def of(pretext: str, twin: str = "exact", **more) -> RunConfig:
    method = {"name": "self_supervised", "pretext": pretext, **more.pop("method", {})}
    train = {"steps": 3, "batch_size": 8, "threads": 1, "device": "cpu", **more.pop("train", {})}
    values = {"data": TILED, "net": NETS["regular"], "method": method, "twin": twin, "train": train}
    return config_of({**values, **more})


@pytest.mark.parametrize("twin", ["exact", "plain"])
@pytest.mark.parametrize("pretext", ["contrast", "rotation", "position", "jigsaw", "none"])
def test_every_pretext_trains_the_encoder_and_labels_the_head_alone(pretext, twin):
    config = of(pretext, twin)
    model, objective, splits = build(config)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    history = fit(model, objective, Batches(splits.train, 8), steps=2)

    def moved():
        return [name for name, value in model.named_parameters() if not torch.equal(value, before[name])]

    assert any(name.startswith("encoder") for name in moved()) and ("head.weight" in moved()) == (pretext == "none")
    assert set(history.records[-1]) >= ({"task", "loss"} if pretext == "none" else {"pretext", "right", "loss"})
    encoder = [value.clone() for value in model.encoder.state_dict().values()]
    config.method.before_scores(model, splits.train)
    assert "head.weight" in moved()
    assert all(torch.equal(a, b) for a, b in zip(encoder, model.encoder.state_dict().values(), strict=True))


def test_the_accuracy_of_a_run_is_that_of_the_linear_probe(tmp_path):
    run = train_member(of("rotation"), tmp_path / "run")
    model, splits = run.model(), run.splits()
    features = torch.nn.Sequential(model.encoder, model.invariants)
    probe = ls.training.linear_probe(features, splits.train, splits.test)
    test = next(record for record in run.metrics() if record["split"] == "test")
    assert test["accuracy"] == pytest.approx(probe.accuracy.mean)


@pytest.mark.parametrize("group", ["C_4", "D_4"])
def test_exact_twins_are_invariant_and_plain_ones_have_as_many_channels(group):
    x = torch.rand(3, 1, 12, 12, dtype=torch.float64)
    models = {twin: build(of("contrast", twin, method={"group": group}))[0].double() for twin in ("exact", "plain")}
    for each in models.values():
        each.eval()
    assert models["exact"].encoder.out_type.size == models["plain"].encoder.out_type.size
    torch.testing.assert_close(models["exact"](x.rot90(1, (2, 3))), models["exact"](x), rtol=1e-10, atol=1e-10)
    assert not torch.allclose(models["plain"](x.rot90(1, (2, 3))), models["plain"](x))


def test_the_learned_twin_is_the_exact_one_with_a_law_of_poses():
    model, objective, _ = build(of("contrast", "learned"))
    degrees = ls.degrees(objective, root="loss")
    assert [d.generator for d in degrees] == ["relative pose", *(f"rotation by {k}" for k in (90, 180, 270))]
    assert degrees[0].estimate == pytest.approx(1, abs=1e-6) and not ls.degrees(model)


def test_the_weights_of_a_run_begin_a_classifier(tmp_path):
    run = train_member(of("rotation"), tmp_path / "unlabelled")
    assert 0 <= run.metrics()[-1]["accuracy"] <= 1
    net = {"name": "regular", "width": 2, "depth": 2, "weights": str(run.path / "weights.safetensors")}
    model, _, _ = build(of("none", net=net))
    assert all(torch.equal(value, run.weights()[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match=r"^net\.weights: .* weights of another network") as error:
        build(of("none", net={**net, "width": 3}))
    assert "\n" not in str(error.value)


BAD = [
    ({"pretext": "rotation"}, {"twin": "learned"}, "twins: got 'learned' with method.pretext rotation"),
    ({"pretext": "rotation", "orbits": 3}, {}, "method.orbits: got 3 with the pretext rotation"),
    ({"pretext": "none", "hidden": 3}, {}, "method.hidden: got 3 with the pretext none"),
    ({"pretext": "jigsaw", "turned": True}, {}, "method.turned: got True with the pretext jigsaw"),
    ({"group": "C_1"}, {}, "method.group: got 'C_1'"),
    ({"group": "SO(2)"}, {}, r"method.group: got 'SO\(2\)'"),
    ({"pretext": "position", "group": "C_8"}, {}, "method.group: got 'C_8' with the pretext position"),
    ({"pretext": "rotation", "group": "D_1"}, {}, "method.group: got 'D_1' with the pretext rotation"),
    ({"temperature": 0.0}, {}, "method.temperature: got 0.0"),
    ({}, {"net": {"name": "cnn"}}, "net.name: got 'cnn' with the method self_supervised"),
    ({}, {"loss": {"name": "mse"}}, "loss.name: got 'mse'"),
    ({}, {"train": {"compile": True}}, "train.compile: got true with the method self_supervised"),
    ({}, {"data": {**DIGITS, "size": 10}}, r"data.size: got examples of shape \(1, 10, 10\)"),
    ({"pretext": "jigsaw"}, {"data": DIGITS}, "data.size: got pictures of 8 pixels with the pretext jigsaw"),
]


@pytest.mark.parametrize(("method", "more", "start"), BAD)
def test_bad_input_is_one_sentence(method, more, start):
    with pytest.raises(ValueError, match=f"^{start}") as error:
        build(of("contrast", method=method, **more))
    assert "\n" not in str(error.value)
