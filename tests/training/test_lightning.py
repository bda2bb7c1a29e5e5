"""The callback of Lightning, run by Lightning."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from torch import nn

import learnsym as ls
from learnsym.training import OptimiserConfig
from learnsym.training.optimiser import make_optimiser

pytestmark = [pytest.mark.filterwarnings("ignore")]
if importlib.util.find_spec("lightning") is None:
    pytestmark.append(pytest.mark.skip(reason="lightning is not installed: pip install learnsym[lightning]"))

X = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
DATA = torch.utils.data.TensorDataset(X, torch.arange(16) % 2)


def lit(schedule=None):
    from lightning.pytorch import LightningModule

    class Lit(LightningModule):
        """A user's module, with a learned law of rotations at the input."""

        def __init__(self):
            super().__init__()
            self.net = ls.augment.Augmented(
                nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), ls.symmetry_by_name("rotation2d")
            )

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            x, y = batch
            loss = nn.functional.cross_entropy(self(x), y)
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            optimiser = torch.optim.AdamW(self.parameters(), lr=0.01, weight_decay=0.1)
            if schedule is None:
                return optimiser
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule(optimiser), "interval": "step"}}

    torch.manual_seed(0)
    return Lit()


def trainer(folder, callback, epochs=1, **more):
    from lightning.pytorch import Trainer

    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    return Trainer(max_epochs=epochs, callbacks=[callback], default_root_dir=folder, **quiet, **more)


def loader():
    return torch.utils.data.DataLoader(DATA, batch_size=8)


def test_degrees_and_errors_are_logged(tmp_path):
    module, callback = lit(), ls.training.SymmetryCallback("rotation2d", X, every=1)
    fitted = trainer(tmp_path, callback, enable_checkpointing=False)
    fitted.fit(module, loader())
    logged = fitted.callback_metrics
    degree = ls.degrees(module)[0]
    assert float(logged["degree/net/rotation"]) == pytest.approx(degree.estimate, rel=1e-5)
    expected = ls.measure.equivariance_error(module, X, "rotation2d")
    assert float(logged["equivariance_error"]) == pytest.approx(expected.mean, rel=1e-4)
    assert float(logged["equivariance_error/standard_error"]) == pytest.approx(expected.stderr, rel=1e-3)
    assert "configure_optimizers" not in vars(module)


SCHEDULES = {
    "none": None,
    "lambda": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: 0.5**step),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 8),
    "one cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=8),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_symmetry_parameters_have_a_group_whose_rate_keeps_its_ratio(tmp_path, name):
    module = lit(SCHEDULES[name])
    fitted = trainer(tmp_path, ls.training.SymmetryCallback(rate=10.0), enable_checkpointing=False)
    fitted.fit(module, loader())
    network, symmetry = fitted.optimizers[0].param_groups
    assert symmetry["lr"] == pytest.approx(10 * network["lr"])
    assert (symmetry["name"], symmetry["weight_decay"], network["weight_decay"]) == ("symmetry", 0.0, 0.1)
    ours = make_optimiser(module, OptimiserConfig()).param_groups
    assert [list(map(id, group["params"])) for group in (network, symmetry)] == [
        list(map(id, group["params"])) for group in ours
    ]


def test_a_resumed_fit_is_the_undisturbed_one(tmp_path):
    whole, halves = lit(SCHEDULES["lambda"]), lit(SCHEDULES["lambda"])
    trainer(tmp_path, ls.training.SymmetryCallback(rate=10.0), epochs=2, enable_checkpointing=False).fit(
        whole, loader()
    )
    first = trainer(tmp_path, ls.training.SymmetryCallback(rate=10.0))
    first.fit(halves, loader())
    first.save_checkpoint(tmp_path / "half.ckpt")
    resumed = lit(SCHEDULES["lambda"])
    second = trainer(tmp_path, ls.training.SymmetryCallback(rate=10.0), epochs=2)
    torch.manual_seed(1)
    second.fit(resumed, loader(), ckpt_path=tmp_path / "half.ckpt")
    assert second.global_step == 4
    assert [group["lr"] for group in second.optimizers[0].param_groups] == pytest.approx([0.01 / 16, 0.1 / 16])


def test_what_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="x: got None beside symmetry, must be given with it"):
        ls.training.SymmetryCallback("rotation2d")
    with pytest.raises(ValueError, match="symmetry: got None beside x"):
        ls.training.SymmetryCallback(x=X)
    with pytest.raises(ValueError, match=r"rate: got 0\.0, must be positive"):
        ls.training.SymmetryCallback(rate=0.0)
    monkeypatch.setattr("learnsym.training.lightning.Callback", object)
    with pytest.raises(ImportError, match=r"pip install learnsym\[lightning\]"):
        ls.training.SymmetryCallback()
