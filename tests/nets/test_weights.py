"""Weights from files: what is unwrapped and renamed is said, and those of another network are refused."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch
from torch import nn

from learnsym.nets import NetConfig, build
from learnsym.nets.sources import load_weights


def net(classes=4, width=5):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, classes))


def prefixed(prefix, state):
    return {prefix + name: value for name, value in state.items()}


def equal(one, other):
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


WRAPPED = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 3},
    "model": lambda state: {"model": state, "optimizer": {"lr": 0.1}},
    "model_state_dict": lambda state: {"model_state_dict": state},
    "parallel": lambda state: prefixed("module.", state),
    "compiled": lambda state: prefixed("_orig_mod.", state),
    "compiled and parallel": lambda state: {"state_dict": prefixed("module._orig_mod.", state)},
    "Lightning": lambda state: {"state_dict": prefixed("model.", state), "epoch": 3},
    "a wrapper": lambda state: prefixed("net.", state),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("ending", ["pt", "pth", "safetensors"])
def test_weights_are_found(tmp_path, wrap, ending, caplog):
    torch.manual_seed(0)
    source, target = net(), net()
    content = wrap(source.state_dict())
    if ending == "safetensors":
        content = next((v for k, v in content.items() if k in ("state_dict", "model", "model_state_dict")), content)
        safetensors.torch.save_file(content, tmp_path / "w.safetensors")
    else:
        torch.save(content, tmp_path / f"w.{ending}")
    with caplog.at_level("INFO", "learnsym"):
        load_weights(target, tmp_path / f"w.{ending}")
    assert equal(source, target)
    nested = {"state_dict", "model", "model_state_dict"} & content.keys()
    weights = content[nested.pop()] if nested else content
    assert ("its weights are those under the key" in caplog.text) == (weights is not content)
    assert ("which is left out" in caplog.text) == ("0.weight" not in weights)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_wrapper_of_the_network_or_of_the_file_makes_no_difference(tmp_path, wrapped):
    inner, other = net(), net()
    wrapper = nn.ModuleDict({"net": inner})
    source, target = (wrapper, other) if wrapped else (other, wrapper)
    torch.save(source.state_dict(), tmp_path / "w.pt")
    load_weights(target, tmp_path / "w.pt")
    assert equal(inner, other)


def test_a_new_head_begins_at_random_and_is_said(tmp_path, caplog):
    source, target = net(), net(classes=7)
    kept = {name: value for name, value in source.state_dict().items() if not name.startswith("2.")}
    torch.save(kept, tmp_path / "w.pt")
    head = target[2].weight.clone()
    with caplog.at_level("INFO", "learnsym"):
        load_weights(target, tmp_path / "w.pt")
    assert torch.equal(target[0].weight, source[0].weight) and torch.equal(target[2].weight, head)
    assert "it lacks 2.weight, 2.bias, the last layer, which begins anew" in caplog.text


class Code:
    def __reduce__(self):
        return (print, ("run",))


def cut(path):
    torch.save(net().state_dict(), path)
    path.write_bytes(path.read_bytes()[:600])


BAD = {
    "another network": ("w.pt", lambda p: torch.save(nn.Conv2d(3, 4, 3).state_dict(), p),
                        r"lacks 0.weight, 0.bias, 1.weight and 6 more \(9 of 9\) and it has weight, bias \(2 of 2\)"),
    "too few": ("w.pt", lambda p: torch.save({"2.weight": torch.zeros(4, 5)}, p), r"lacks 0.weight, .* \(8 of 9\)"),
    "another width": ("w.pt", lambda p: torch.save(net(width=6).state_dict(), p),
                      r"0.weight has shape \(6, 3\), must have \(5, 3\), and 6 more differ"),
    "another head": ("w.pt", lambda p: torch.save(net(classes=9).state_dict(), p),
                     "its head 2.weight has 9 classes, that of the network 4; take 2.weight, 2.bias out of the file"),
    "the whole module": ("w.pt", lambda p: torch.save(net(), p), "holds pickled objects, whose code is not run"),
    "code": ("w.pt", lambda p: torch.save({"state_dict": Code()}, p), "holds pickled objects, whose code is not run"),
    "a program": ("w.pt", lambda p: torch.jit.script(net()).save(str(p)), "is a TorchScript program, not weights"),
    "cut off": ("w.pt", cut, "cannot be read .it is damaged or cut off."),
    "no file": ("w.pt", lambda p: None, "there is no file"),
    "another ending": ("w.npz", lambda p: None, "must end in one of .safetensors, .pt"),
    "a tensor": ("w.pt", lambda p: torch.save(torch.zeros(3), p), "holds a Tensor, must hold a state_dict"),
    "no tensors": ("w.pt", lambda p: torch.save({"epoch": 3}, p), "holds no weights, but epoch"),
    "no safetensors": ("w.safetensors", lambda p: p.write_bytes(b"none"), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "write", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said(tmp_path, name, write, message, capsys):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=message) as caught:
        load_weights(net(), tmp_path / name)
    assert str(caught.value).startswith("net.weights: ") and "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_networks_of_the_library_take_weights(tmp_path):
    settings = {"name": "mlp", "width": 4, "depth": 1}
    source = build(NetConfig(**settings), (6,), 3)
    torch.save(source.state_dict(), tmp_path / "w.pt")
    assert equal(source, build(NetConfig(**settings, weights=str(tmp_path / "w.pt")), (6,), 3))
