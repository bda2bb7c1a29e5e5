"""Laws of the simulated plume."""

import pytest
import torch

import learnsym as ls
from learnsym.data import smoke, smoke_step, stream_function


def states(buoyancy=1.0):
    return smoke(2, 2, buoyancy, size=16)[:, 1].double()


def violation(state, buoyancy, turns=1):
    turned = smoke_step(state.rot90(turns, (2, 3)), buoyancy).rot90(-turns, (2, 3))
    return float((turned - smoke_step(state, buoyancy)).norm())


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turns_hold_without_buoyancy_and_fail_in_proportion_to_it(turns):
    x = states()
    assert violation(x, 0.0, turns) <= 1e-10
    assert violation(x, 2e-3, turns) == pytest.approx(2 * violation(x, 1e-3, turns), rel=1e-2)


def test_translations_hold_always():
    x = states()
    shifted = smoke_step(x.roll((3, 5), (2, 3)), 2.0).roll((-3, -5), (2, 3))
    torch.testing.assert_close(shifted, smoke_step(x, 2.0))


def test_smoke_is_conserved_and_spreads():
    x = smoke(2, 10, 1.0, size=16)
    mass = x[:, :, 0].mean((-1, -2))
    torch.testing.assert_close(mass, mass[:, :1].expand_as(mass))
    assert bool((x[:, -1, 0].var((-1, -2)) < x[:, 0, 0].var((-1, -2))).all())


def test_smoke_rises():
    """A blob of smoke in fluid at rest moves up the image, towards row 0."""
    u = torch.arange(16) - 8.0
    blob = (-(u[:, None] ** 2 + u[None, :] ** 2) / 8).exp()
    state = torch.stack([blob, torch.zeros(16, 16)])[None].double()
    for _ in range(4):
        state = smoke_step(state, 2.0)
    rows = (state[0, 0].sum(1) * u).sum() / state[0, 0].sum()
    assert float(rows) < -0.05


def test_stream_function_inverts_the_laplacian():
    vorticity = smoke(1, 1, 0.0, size=16)[0, 0, 1].double()
    k = torch.fft.fftfreq(16, dtype=torch.float64) * 16
    laplacian = torch.fft.ifft2(-(k[:, None] ** 2 + k**2) * torch.fft.fft2(stream_function(vorticity))).real
    torch.testing.assert_close(laplacian, vorticity - vorticity.mean())


def test_initial_states():
    first = smoke(3, 1, 0.0, size=16, seed=1, stretch=3.0)
    torch.testing.assert_close(smoke(3, 1, 5.0, size=16, seed=1, stretch=3.0), first)
    torch.testing.assert_close(smoke(3, 1, 0.0, size=16, seed=1, stretch=3.0, turned=True), first.rot90(1, (3, 4)))
    assert not torch.equal(smoke(3, 1, 0.0, size=16, seed=2, stretch=3.0), first)
    along_y, along_x = (torch.diff(first, dim=axis).square().mean() for axis in (3, 4))
    assert along_x < 0.7 * along_y


def test_bad_input():
    for arguments in ((0, 1, 0.0), (1, 0, 0.0)):
        with pytest.raises(ValueError, match="n, frames"):
            ls.data.smoke(*arguments)
    with pytest.raises(ValueError, match="size"):
        ls.data.smoke(1, 1, 0.0, size=15)
