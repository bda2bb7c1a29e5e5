"""A plain torch program or an ONNX file out: no learnsym at inference.

Legend of axes: `S` group elements, `B` batch, `n` matrix size.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym import _escnn
from learnsym.augment import (
    Augmented,
    Hypotheses,
    InstanceBox,
    InstanceCategorical,
    LawTransform,
    OrbitAveraged,
)
from learnsym.augment.averages import Average
from learnsym.files import replacing
from learnsym.parts import Whole, chosen, described, device_of, examples, joined, mapped, parts_of, repeated, tensors_in
from learnsym.symmetry import Symmetry

ATOL = 1e-5
OPSET = 20  # the first with grid_sample of images and volumes


class ExportError(RuntimeError):
    """The written file does not give the outputs of the model."""


class FixedAverage(nn.Module):
    """A network averaged over a constant list of group elements: what an exported program computes.

        f(x) = average over s of  g_s^{-1} · net(g_s · x)

    Args:
        net: from a batch to a batch.
        symmetry: how elements move inputs and outputs.
        elements: the elements, the same for every example.
        average: from stacked outputs `(S, B, ...)` to `(B, ...)`.
    """

    elements: Tensor
    inverses: Tensor

    def __init__(self, net: nn.Module, symmetry: Symmetry, elements: Float[Tensor, "S n n"], average: Average) -> None:
        super().__init__()
        self.net = net
        self.symmetry = symmetry
        self.average = average
        self.register_buffer("elements", elements)
        self.register_buffer("inverses", symmetry.group.inverse(elements))

    def forward(self, x: Whole) -> Tensor:
        moving, copies = self.symmetry.moving(x), repeated(x, len(self.elements))
        y = self.symmetry.output(self.net(self.symmetry.on_input(self._repeated(self.elements, moving), copies)))
        y = self.symmetry.on_output.within(self._repeated(self.inverses, moving), y)
        return self.average(y.unflatten(0, (len(self.elements), -1)))

    def _repeated(self, g: Tensor, moving: Tensor) -> Tensor:
        return g.unsqueeze(1).expand(-1, moving.shape[0], -1, -1).flatten(0, 1)


def frozen(model: nn.Module, example: Whole, averaged: bool = True) -> nn.Module:
    """The module that is exported: a copy of a model without anything random or learnable about its symmetry.

    Args:
        model: any module; those of `augment` are taken apart.
        example: a batch of inputs.
        averaged: with averaging over transformed copies, as in evaluation; else the network alone. Of hypotheses the
            chosen one.

    Raises:
        ValueError: when the elements depend on the input.
    """
    model = _escnn.copied(model).to(device_of(example)).eval()
    model = model.single if isinstance(model, Hypotheses) else model
    with torch.no_grad():
        if isinstance(model, Augmented) and averaged:
            return FixedAverage(model.net, model.symmetry, _elements(model, example), model.average).eval()
        if isinstance(model, OrbitAveraged) and averaged:
            return FixedAverage(model.net, model.symmetry, model.elements, model.average).eval()
    plain = getattr(model, "plain", None)
    network = plain() if callable(plain) else model
    assert isinstance(network, nn.Module)
    return network


def _elements(model: Augmented, example: Whole) -> Float[Tensor, "S n n"]:
    g = model.elements(example)
    if model.law(example).batch_shape:
        raise ValueError(
            "averaged: the elements of this model depend on the input; export the network with averaged=False"
        )
    return g[:, 0].clone()


def export_model(
    model: nn.Module, example: Whole, path: str | os.PathLike[str], averaged: bool = True, onnx: bool | None = None
) -> Path:
    """Write a model as a torch program (`.pt2`) or an ONNX file (`.onnx`) that runs without learnsym, and check it.

    The number of examples in a batch stays free. A torch program is loaded by `torch.export.load(path).module()` and
    computes where `example` lay. The file is read back, and gets its name only when it gives the outputs of the model.

    Args:
        model: any module; those of `augment` with or without their averaging.
        example: a batch of inputs: one tensor, or a dict, tuple or list of them.
        path: the file to write.
        averaged: whether averaging over transformed copies is baked in, with the fixed elements of evaluation.
        onnx: which format; by default what the ending of `path` says.

    Returns:
        The path.

    Raises:
        ValueError: when the ending does not fit the format, or the model cannot be traced with a free batch size.
        ExportError: when outputs of the file differ from those of the model by more than 1e-5.
        ImportError: when ONNX is asked for and not installed.

    Example:
        >>> import tempfile
        >>> net, x = nn.Linear(3, 2), torch.rand(4, 3)
        >>> path = ls.export.export_model(net, x, tempfile.mkdtemp() + "/model.pt2")
        >>> torch.equal(torch.export.load(path).module()(x), net(x))
        True
    """
    target = Path(path)
    to_onnx = _is_onnx(target, onnx)
    _check_structure(example)
    example = example if examples(example) > 1 else joined([example, example])
    module = frozen(model, example, averaged)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        program = _program(module, example)
        (_write_onnx if to_onnx else _write_program)(program, temporary)
        _compare(module, (_read_onnx if to_onnx else _read_program)(temporary), example)
    return target


def law_transform(model: nn.Module) -> LawTransform:
    """The law that a model has learned for its input, as a random transform of data for other networks.

    It is frozen and independent of the model, and is saved as any module is; see `augment.LawTransform`.

    Args:
        model: `Augmented`, or `Hypotheses`, of which the chosen one counts.

    Raises:
        ValueError: for a model without a law of its input, or with one that depends on the input.

    Example:
        >>> model = ls.augment.Augmented(nn.Flatten(), "rotation2d")
        >>> ls.export.law_transform(model)(torch.rand(3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """
    chosen_model = model.single if isinstance(model, Hypotheses) else model
    if not isinstance(chosen_model, Augmented):
        raise ValueError(
            f"model: got a {type(chosen_model).__name__}, which has no learned law of its input; give one of "
            "augment.Augmented, such as a run of augerino: ls.training.Run(path).model()"
        )
    if isinstance(chosen_model.distribution, InstanceBox | InstanceCategorical):
        raise ValueError(
            f"model: its law, {type(chosen_model.distribution).__name__}, depends on the input, so that it is no "
            "transform by itself; train one with a LearnableBox"
        )
    return LawTransform(chosen_model.symmetry, chosen_model.distribution())


def export_run(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str],
    onnx: bool = False,
    averaged: bool = True,
    unfinished: bool = False,
) -> Path:
    """Write the trained model of a run folder as `export_model` does.

    Args:
        run: the run folder.
        out, onnx, averaged: as for `export_model`.
        unfinished: whether a run is taken as it is that is not trained to its end.

    Raises:
        ValueError: when the folder is not a run, or not trained to its end, and as `export_model`.
    """
    from learnsym.training import Run
    from learnsym.training.unfinished import check_finished

    trained = Run(run)
    to_onnx = _is_onnx(Path(out), onnx or None)
    model = trained.model()
    check_finished([trained], unfinished)
    test = trained.splits().test
    some, _ = test.batch(torch.arange(min(4, len(test))))
    return export_model(model, some, out, averaged, to_onnx)


def _is_onnx(path: Path, onnx: bool | None) -> bool:
    onnx = path.suffix == ".onnx" if onnx is None else onnx
    ending = ".onnx" if onnx else ".pt2"
    if path.suffix != ending:
        raise ValueError(f"out: {path} must end in {ending} for {'ONNX' if onnx else 'a torch program'}; rename it")
    if onnx:
        for name in ("onnx", "onnxscript", "onnxruntime"):
            _optional(name)
    return onnx


def _check_structure(example: Whole) -> None:
    """Programs are read without the classes of other structures."""
    if isinstance(example, Tensor):
        return
    if type(example) not in (dict, tuple, list):
        raise ValueError(
            f"example: got {described(example)}, must be a tensor, or a dict, tuple or list of such; give a model that "
            "takes one of these"
        )
    for part in parts_of(example).values():
        _check_structure(part)


def _optional(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"ONNX needs the package {name}: pip install learnsym[export]") from error


def _program(module: nn.Module, example: Whole) -> torch.export.ExportedProgram:
    batch = torch.export.Dim("batch")
    shapes = (mapped(lambda tensor: {0: batch} if tensor.ndim else {}, example),)
    try:
        with torch.no_grad():
            program = torch.export.export(module, (example,), dynamic_shapes=shapes, strict=False)
    except Exception as error:  # torch raises errors of many kinds here
        reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"model: cannot be traced as a program with a free batch size ({reason}); make its forward pass free of "
            "branches that depend on values or on the batch size"
        ) from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names folders of this machine
    return program


def _write_program(program: torch.export.ExportedProgram, path: Path) -> None:
    buffer = io.BytesIO()  # written to a full disk by itself, torch does not say why it failed
    torch.export.save(program, buffer)
    path.write_bytes(buffer.getvalue())


def _read_program(path: Path) -> Callable[[Whole], list[Tensor]]:
    program = torch.export.load(path).module()
    return lambda x: _tensors(program(x))


def _write_onnx(program: torch.export.ExportedProgram, path: Path) -> None:
    # says for every operator of torchvision that it is not installed
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        converted: Any = torch.onnx.export(program, dynamo=True, opset_version=OPSET, verbose=False)
    converted.save(str(path), external_data=False)


def _read_onnx(path: Path) -> Callable[[Whole], list[Tensor]]:
    options = _optional("onnxruntime").SessionOptions()
    options.log_severity_level = 3
    session = _optional("onnxruntime").InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]

    def outputs(x: Whole) -> list[Tensor]:
        given = dict(zip(names, (tensor.cpu().numpy() for tensor in _tensors(x)), strict=True))
        return [torch.from_numpy(array) for array in session.run(None, given)]

    return outputs


def _compare(module: nn.Module, loaded: Callable[[Whole], list[Tensor]], example: Whole) -> None:
    """Both must agree, also on a batch of another size than the example."""
    turned = mapped(lambda tensor: tensor.flip(0) if tensor.ndim else tensor, example)
    with torch.no_grad():
        for x in (example, joined([example, turned]), chosen(example, slice(0, 1))):
            for wanted, found in zip(_tensors(module(x)), loaded(x), strict=True):
                _check_equal(found.to(wanted), wanted)


def _check_equal(exported: Tensor, wanted: Tensor) -> None:
    if not torch.allclose(exported, wanted, rtol=ATOL, atol=ATOL, equal_nan=True):
        worst = (exported - wanted).abs().max().item()
        raise ExportError(f"the exported file differs from the model by {worst:.2g}, more than {ATOL:g}; not written")


def _tensors(whole: Whole) -> list[Tensor]:
    return [tensor for _, tensor in tensors_in(whole)]
