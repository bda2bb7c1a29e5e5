"""The state of a layer says in which basis its weights are coefficients."""

import pytest
import torch

import learnsym as ls

FIELDS = ls.equivariant.FieldType.irreps(ls.groups.SO2(), {0: 1, 1: 2})
LAYERS = {
    "convolution": lambda: ls.equivariant.SteerableConv(FIELDS, FIELDS, 3),
    "linear": lambda: ls.equivariant.EquivariantLinear(FIELDS, FIELDS),
    "probabilistic": lambda: ls.relax.ProbabilisticSteerableConv(FIELDS, FIELDS, 3),
}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", LAYERS)
def test_weights_come_back_in_half_precision_too(name, dtype):
    first, second = LAYERS[name](), LAYERS[name]()
    half = {key: value.to(dtype) for key, value in first.state_dict().items()}
    second.load_state_dict(half)
    x = torch.rand(2, FIELDS.size, *[5, 5] * (name != "linear"))
    torch.testing.assert_close(second(x), first(x), rtol=0, atol=1e-2 if dtype == torch.float16 else 5e-2)


@pytest.mark.parametrize("name", LAYERS)
def test_weights_in_another_basis_are_refused(name):
    state = LAYERS[name]().state_dict()
    key = next(key for key in state if key.endswith("_extra_state"))
    with pytest.raises(ValueError, match="another basis"):
        LAYERS[name]().load_state_dict({**state, key: -state[key]})


@pytest.mark.parametrize("name", LAYERS)
def test_weights_that_do_not_say_their_basis_are_refused(name):
    state = {key: value for key, value in LAYERS[name]().state_dict().items() if "_extra_state" not in key}
    with pytest.raises(RuntimeError, match="Missing key"):
        LAYERS[name]().load_state_dict(state)
