"""compare: a module and its torch twin on the same input and cotangents, and how far apart they come out."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.backward import backward
from tinyrnn.autograd.graph import make
from tinyrnn.autograd.modes import no_grad
from tinyrnn.nn import Module
from tinyrnn.nn.utils.rnn import PackedSequence
from tinyrnn.tensor import Tensor
from tinyrnn.testing.twins import as_torch, each, import_torch, twin


class Differences(dict[str, float]):
    """{what: the largest difference, relative to the largest entry of torch's}; prints as a table, the worst first."""

    @property
    def worst(self) -> float:
        """The largest of all; NaN if one is."""
        return float(np.max([*self.values()], initial=0))

    def __str__(self) -> str:
        width = max(map(len, self), default=0)
        ordered = sorted(self.items(), key=lambda item: -np.nan_to_num(item[1], nan=np.inf))
        return "\n".join([f"{name:{width}}  {error:.1e}" for name, error in ordered])


def compare(
    module: Module,
    *inputs: Any,
    dtype: DTypeLike | None = None,
    device: str = "cpu",
    seed: int = 0,
    cotangents: Callable[[int], bool] | None = None,
    **options: Any,
) -> Differences:
    """How far `module(*inputs, **options)` and its backward pass are from those of its torch twin.

    module      any that `twin` takes; it is copied, and so are the inputs: nothing of yours is changed
    inputs      tensors, packed sequences, None, numbers, or tuples, lists and dicts of such; each floating tensor
                gets a gradient. options: likewise, by name
    dtype       what the weights and the floating inputs are cast to; None leaves them as they are
    device      where the twin runs: "cpu" or "cuda", in full precision (TF32 off)
    seed        of the random cotangents, one for each output; of dropout too, which only agrees where p is 0
    cotangents  which outputs the loss sees, by number; all without it
    Returns Differences: "output 0", "output 1", ... in the order returned, the states after the output; "d input 0",
        ... and "d" and the path of each parameter. Gradients that neither side has are left out.
    Raises ImportError without torch, ValueError for what has no twin, and where one side has a gradient, or an output,
    that the other has not.

    >>> from tinyrnn import nn, randn
    >>> compare(nn.GRU(3, 4), randn(5, 2, 3), dtype="float64").worst < 1e-12  # doctest: +SKIP
    True
    """
    torch = import_torch()
    ours = copy.deepcopy(module)
    if dtype is not None:
        ours = ours.to(np.dtype(dtype))
    given = _leaves((inputs, options), None if dtype is None else np.dtype(dtype))
    with _full_precision(torch):
        theirs, there = twin(ours, device), as_torch(given, device, torch)
        found, expected = list(_tensors(ours(*given[0], **given[1]))), list(_tensors(theirs(*there[0], **there[1])))
        if [y.shape for y in found] != [tuple(y.shape) for y in expected]:
            shapes = [y.shape for y in found], [tuple(y.shape) for y in expected]
            raise ValueError(f"compare: the outputs have shapes {shapes[0]}, torch's {shapes[1]}")
        rng = np.random.default_rng(seed)
        drawn = [np.asarray(rng.standard_normal(y.shape)).astype(y.dtype) for y in found]
        seen = [k for k, y in enumerate(found) if y.requires_grad and (cotangents is None or cotangents(k))]
        if seen:
            backward([found[k] for k in seen], [make(Tensor, drawn[k]) for k in seen])
            gs = [torch.from_numpy(drawn[k]).to(device) for k in seen]
            torch.autograd.backward([expected[k] for k in seen], gs)
    differences = Differences()
    for k, (y, e) in enumerate(zip(found, expected, strict=True)):
        differences[f"output {k}"] = _error(y, e)
    pairs = [(f"input {k}", x, e) for k, (x, e) in enumerate(zip(_tensors(given), _tensors(there), strict=True))]
    weights = dict(theirs.named_parameters())
    pairs += [(path, p, weights[path]) for path, p in ours.named_parameters()]
    for name, x, e in pairs:
        if (x.grad is None) != (e.grad is None):
            sides = ("tinyrnn", "torch") if e.grad is None else ("torch", "tinyrnn")
            raise ValueError(f"compare: {name} has a gradient in {sides[0]} and none in {sides[1]}")
        if x.grad is not None:
            differences[f"d {name}"] = _error(x.grad, e.grad)
    return differences


def compare_training(
    module: Module,
    optimizer: Callable[[Any, Any], Any],
    *inputs: Any,
    steps: int = 50,
    dtype: DTypeLike | None = None,
    device: str = "cpu",
    seed: int = 0,
) -> Differences:
    """How far the weights of `module` and of its twin are apart after some steps of training, and the losses till then.

    optimizer  called with the package's optim and the parameters: lambda optim, p: optim.Adam(p, lr=0.01)
    The loss of step t is the mean of (y - v)^2 for the first output y and a random v, the same for both.
    Otherwise as compare. Returns Differences: "losses", and each parameter by its path.
    """
    torch = import_torch()
    tinyrnn = importlib.import_module("tinyrnn")
    ours = copy.deepcopy(module)
    if dtype is not None:
        ours = ours.to(np.dtype(dtype))
    given = _leaves((inputs, {}), None if dtype is None else np.dtype(dtype))[0]
    with _full_precision(torch):
        theirs, there = twin(ours, device), as_torch(given, device, torch)
        with no_grad():
            y = next(_tensors(ours(*given)))
        target = np.asarray(np.random.default_rng(seed).standard_normal(y.shape)).astype(y.dtype)
        found = _trained(ours, optimizer(tinyrnn.optim, ours.parameters()), given, make(Tensor, target), steps)
        v = torch.from_numpy(target).to(device)
        expected = _trained(theirs, optimizer(torch.optim, theirs.parameters()), there, v, steps)
    differences = Differences(losses=_relative(np.array(found), np.array(expected)))
    weights = dict(theirs.named_parameters())
    for path, p in ours.named_parameters():
        differences[path] = _error(p, weights[path])
    return differences


def _trained(model: Any, optimizer: Any, inputs: Any, target: Any, steps: int) -> list[float]:
    """The loss of each step, of either package."""

    def closure() -> Any:
        optimizer.zero_grad()
        loss = ((next(_tensors(model(*inputs))) - target) ** 2).mean()
        loss.backward()
        return loss

    return [float(optimizer.step(closure).item()) for _ in range(steps)]


def _leaves(value: Any, dtype: Any) -> Any:
    """A copy in which every floating tensor is a leaf that requires a gradient, of the dtype if there is one."""
    if isinstance(value, PackedSequence):
        return value._replace(data=_leaves(value.data, dtype))
    if isinstance(value, Tensor):
        x = make(Tensor, value.array.copy())
        if not x.is_floating_point():
            return x
        return (x if dtype is None else x.to(dtype)).requires_grad_()
    return each(value, lambda part: _leaves(part, dtype))


def _tensors(value: Any) -> Iterator[Any]:
    """The tensors of either package in a tree, in order; of a packed sequence its data."""
    if hasattr(value, "batch_sizes"):
        yield value.data
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif hasattr(value, "requires_grad"):
        yield value


def _error(ours: Any, theirs: Any) -> float:
    return _relative(ours.detach().numpy(), theirs.detach().cpu().numpy())


def _relative(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest entry expected; of nothing 0; NaN where only one is NaN."""
    if found.dtype != expected.dtype:
        raise ValueError(f"compare: a result is {found.dtype}, torch's is {expected.dtype}")
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    difference = np.where(same, 0, np.abs(found - expected.astype(found.dtype)))
    largest = np.max(np.abs(expected), where=np.isfinite(expected), initial=0)
    return float(np.max(difference, initial=0) / (largest if largest > 0 else 1))


@contextmanager
def _full_precision(torch: Any) -> Iterator[None]:
    """TF32 off, on a GPU that has it, and back to what it was."""
    switches = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = False
        yield
    finally:
        for switch, was in zip(switches, before, strict=True):
            switch.allow_tf32 = was
