"""FLOPs of single layers against closed forms."""

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.equivariant import EquivariantLinear, FieldType, GroupConv2d, SteerableConv
from learnsym.nets.cost import flops, nominal_rules
from learnsym.relax import RelaxedGroupConv2d, ResidualPathway


def of(layer, *shape):
    return flops(layer, torch.randn(*shape))


def test_linear():
    cost = of(nn.Linear(5, 7), 3, 11, 5)
    assert (cost.inference, cost.training, cost.nominal) == (2 * 11 * 35, 2 * 2 * 11 * 35, 6 * 11 * 35)


def test_a_layer_behind_another_has_the_gradient_of_its_input_too():
    rows = {row.layer: row for row in of(nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 7)), 3, 2).rows}
    assert rows["0"].training == 4 * 10 and rows["1"].training == rows["1"].nominal == 6 * 35
    assert [row.kind for row in rows.values()] == ["Linear", "Linear"]


@pytest.mark.parametrize(("layer", "elements", "uses"), [
    (nn.Conv2d(4, 6, 3, padding=1), 4 * 6 * 9, 64),
    (nn.Conv2d(4, 6, 3, stride=2), 4 * 6 * 9, 9),
    (nn.Conv2d(4, 8, 3, groups=4), 8 * 9, 36),
    (nn.ConvTranspose2d(4, 6, 2, stride=2), 4 * 6 * 4, 64),
    (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), 4 * 6 * 9, 64),
])  # fmt: skip
def test_convolutions(layer, elements, uses):
    cost = of(nn.Sequential(nn.Conv2d(4, 4, 1), layer), 2, 4, 8, 8)
    row = {row.layer: row for row in cost.rows}["1"]
    assert row.inference == 2 * elements * uses
    assert row.training == row.nominal == 6 * elements * uses


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.project, self.out = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x):
        q, k, v = self.project(x).unflatten(2, (3, 4, 4)).permute(2, 0, 3, 1, 4)
        return self.out(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def test_attention_is_counted_also_on_a_cpu_but_is_not_nominal():
    cost = of(Attention(), 2, 10, 16)
    rows = {row.layer: row for row in cost.rows}
    product = 2 * 10 * 10 * 16
    assert cost.nominal == 6 * (48 + 16) * 16 * 10
    assert rows[""].inference == 2 * product and rows[""].nominal == 0
    # backward: scores once more, then both operands of both products
    assert rows[""].training == (2 + 5) * product


GROUP = ls.groups.Cyclic(4)
IMAGE, FIELDS = FieldType.trivial(GROUP, 3), FieldType.regular(GROUP, 2)
IRREPS = FieldType.all_irreps(ls.groups.SO2(), 2, band_limit=1)


@pytest.mark.parametrize("layer", [
    GroupConv2d(IMAGE, FIELDS, 3),
    SteerableConv(IMAGE, FIELDS, 3),
    RelaxedGroupConv2d(IMAGE, FIELDS, 3, banks=3),
    ResidualPathway(GroupConv2d(IMAGE, FIELDS, 3)),
], ids=lambda layer: type(layer).__name__)  # fmt: skip
def test_convolutions_that_share_weights_count_as_the_dense_filter(layer):
    cost = of(layer, 2, 3, 9, 9)
    assert cost.nominal == 6 * (3 * 8 * 9) * 49
    assert len([row for row in cost.rows if row.nominal]) == 1 and not [
        name for name in cost.without_use if "." in name
    ]


def test_an_equivariant_linear_map_counts_as_its_matrix():
    cost = of(EquivariantLinear(IRREPS, IRREPS), 2, IRREPS.size)
    assert cost.nominal == 6 * IRREPS.size**2


def test_multivectors_count_as_sixteen_numbers():
    from learnsym.equivariant.projective.features import Features
    from learnsym.equivariant.projective.linear import MultivectorLinear

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = MultivectorLinear((2, 4), (3, 5), "SE(3)")

        def forward(self, x):
            return self.linear(Features(x[:, :11].T, x[:, 11:].T.reshape(8, 3, -1)))

    assert flops(Tokens(), torch.randn(6, 35)).nominal == 6 * (3 * 5 + 3 * 4 + 2 * 5 + 256 * 2 * 4)


def test_a_rule_can_be_added():
    class Doubled(nn.Linear):
        pass

    nominal_rules[Doubled] = lambda layer: 2 * layer.weight.numel()
    try:
        assert of(Doubled(5, 7), 3, 5).nominal == 12 * 35
    finally:
        del nominal_rules[Doubled]


def test_weights_without_a_product_are_named():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.map = nn.Parameter(torch.ones(4, 4))

        def forward(self, x):
            return (x * self.map).sum(-1)

    cost = of(Scaled(), 2, 4, 4)
    assert cost.without_use == ("map",) and cost.nominal == 0
