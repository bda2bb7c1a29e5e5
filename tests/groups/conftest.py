"""Every law of a group is a test with the argument `group`: it runs over the whole registry."""

import pytest
import torch

from learnsym.groups import registry

GROUPS = {name: make() for name, make in registry.items()}


def pytest_generate_tests(metafunc):
    kinds = {
        "group": GROUPS,
        "lie_group": {name: g for name, g in GROUPS.items() if g.dim},
        "finite_group": {name: g for name, g in GROUPS.items() if g.order and g.order == len(g.components)},
        "compact_group": {name: g for name, g in GROUPS.items() if g.is_compact},
        "other_group": {name: g for name, g in GROUPS.items() if not g.is_compact},
    }
    own = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize") if isinstance(mark.args[0], str)}
    own |= {name for mark in metafunc.definition.iter_markers("parametrize") for name in mark.args[0]}
    for kind, groups in kinds.items():
        if kind in metafunc.fixturenames and kind not in own:
            metafunc.parametrize(kind, groups.values(), ids=groups.keys())


@pytest.fixture
def coordinates():
    """Random coordinates well inside the radius in which `exp` is injective."""

    def draw(group, *shape, size=0.8):
        return size * (2 * torch.rand(*shape, group.dim, dtype=torch.float64) - 1)

    return draw


@pytest.fixture
def elements(coordinates):
    """Random elements of all components."""

    def draw(group, *shape):
        components = group.components[torch.randint(len(group.components), shape)]
        if group.is_compact:
            return group.haar(*shape, dtype=torch.float64)
        return components @ group.exp(coordinates(group, *shape))

    return draw
