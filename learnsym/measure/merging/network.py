"""A model as a graph of tensor operations, with its weights apart: it runs with other weights and is never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from learnsym._modes import evaluating, keeping_buffers
from learnsym.measure._probe import Model, Output, check_layers, check_not_exported

State = dict[str, Tensor]
"""Parameters, buffers and constants by name."""
Edit = Callable[[list[Tensor]], list[Tensor]]
"""What becomes of a value, given for each part of the batch, before the next operation reads it."""


@dataclass(frozen=True, eq=False)
class Network:
    """The operations of a model in evaluation mode, from one batch to one tensor."""

    graph: Graph
    names: dict[Node, str]
    """The nodes that stand for entries of the state."""
    state: State
    parameters: frozenset[str]
    """Entries of the state that are trained."""
    source: Node
    result: Node

    @cached_property
    def released(self) -> dict[Node, list[Node]]:
        """After which node the value of others is no longer read."""
        last = {read: node for node in self.graph.nodes for read in node.all_input_nodes}
        released: dict[Node, list[Node]] = {}
        for read, node in last.items():
            released.setdefault(node, []).append(read)
        return released


class _Chosen(nn.Module):
    """A model with the output that is measured."""

    def __init__(self, model: nn.Module, output: Output | None) -> None:
        super().__init__()
        self.model = model
        self.output = output

    def forward(self, x: Tensor) -> object:
        returned = self.model(x)
        return returned if self.output is None else self.output(returned)


def trace(model: Model, x: Tensor, output: Output | None = None) -> Network:
    """The graph of a model for batches of any size of examples like `x`.

    Raises:
        ValueError: when the model is no module, or torch.export cannot trace it.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model: got a {type(model).__name__}, must be an nn.Module; its weights are merged")
    check_layers(model)
    check_not_exported(model)
    with torch.inference_mode(False), torch.no_grad(), evaluating(model), keeping_buffers(model):
        program = _program(_Chosen(model, output).eval(), x[:1].repeat(2, *[1] * (x.ndim - 1)))
    signature: Any = program.graph_signature
    constants = signature.inputs_to_lifted_tensor_constants
    named = {**signature.inputs_to_parameters, **signature.inputs_to_buffers, **constants}
    placeholders = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    tensors = {**program.constants, **program.state_dict}
    return Network(
        graph=program.graph,
        names={placeholders[node]: _plain(name) for node, name in named.items()},
        state={_plain(name): tensors[name].detach().clone() for name in named.values()},
        parameters=frozenset(map(_plain, signature.inputs_to_parameters.values())),
        source=placeholders[str(signature.user_inputs[0])],
        result=next(node for node in program.graph.nodes if node.op == "output").all_input_nodes[0],
    )


def run(
    network: Network, states: Sequence[State], parts: Sequence[Tensor], edits: Mapping[Node, Edit] | None = None
) -> list[Tensor]:
    """The outputs for parts of a batch, each with its own state, one operation after the other for all parts.

    Args:
        network: what is run.
        states: weights of each part.
        parts: examples, `(B_i, ...)` each.
        edits: of the values of some operations; they see all parts at once.
    """
    edits = edits or {}
    values: dict[Node, list[Any]] = {}
    for node in network.graph.nodes:
        if node.op == "output":
            break
        # copies of the examples, which some operations overwrite
        if node is network.source:
            values[node] = [part.clone() for part in parts]
        elif node.op == "placeholder":
            values[node] = [s[network.names[node]] for s in states]
        else:
            results = [_call(node, values, i) for i in range(len(parts))]
            values[node] = edits[node](results) if node in edits else results
        for read in network.released.get(node, ()):
            del values[read]
    return values[network.result]


def check_same(a: Network, b: Network) -> None:
    """Raise ValueError when two networks are not of one architecture."""
    wanted, got = ({name: tuple(value.shape) for name, value in network.state.items()} for network in (a, b))
    odd = [name for name in {**wanted, **got} if wanted.get(name) != got.get(name)]
    if odd:
        raise ValueError(
            f"model_b: its {odd[0]} has shape {got.get(odd[0])} and that of model_a {wanted.get(odd[0])}; "
            "merge two networks of one architecture"
        )
    if str(a.graph) != str(b.graph):
        raise ValueError("model_b: runs other operations than model_a; merge two networks of one architecture")


def _program(model: nn.Module, x: Tensor) -> ExportedProgram:
    try:
        return export(model, (x,), dynamic_shapes=({0: Dim.DYNAMIC},), strict=False)
    except ValueError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"model: torch.export cannot trace it for batches of any size ({type(error).__name__}: {reason}); "
            "remove control flow that depends on values or on the size of the batch"
        ) from error


def _call(node: Node, values: dict[Node, list[Any]], part: int) -> Any:  # noqa: ANN401  tensors, sizes, tuples
    args, kwargs = map_arg((node.args, node.kwargs), lambda read: values[read][part])
    assert callable(node.target)
    return node.target(*args, **kwargs)


def _plain(name: str) -> str:
    return name.removeprefix("model.")
