"""What NumPy's functions do with tensors: np.sin(x), np.concatenate([x, y]), array + x, np.float64(2) * x.

Where there is an operation of the same meaning it is what runs, so gradients flow and the result is a tensor, in
torch's dtype. Every other function gets the arrays of tensors that require no gradient: the result of a ufunc is a
tensor again, that of any other function is NumPy's own. A tensor that requires a gradient is refused there.

Source: NumPy's protocols, NEP 13 (__array_ufunc__) and NEP 18 (__array_function__).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tinyrnn import ops
from tinyrnn.autograd.graph import Value, make
from tinyrnn.autograd.views import edge_of
from tinyrnn.ops.methods import Methods
from tinyrnn.ops.operands import constant

# NumPy's name: ours. Of these the first argument is the tensor; two operands broadcast alike in both.
UFUNCS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow", "float_power": "float_power",
    "floor_divide": "floor_divide", "remainder": "remainder", "fmod": "fmod", "negative": "neg", "positive": "positive",
    "absolute": "abs", "sign": "sign", "square": "square", "sqrt": "sqrt", "reciprocal": "reciprocal", "exp": "exp",
    "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p", "sin": "sin",
    "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arctan": "atan", "arctan2": "atan2",
    "maximum": "maximum", "minimum": "minimum", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "round",
    "matmul": "matmul", "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge", "logical_and": "logical_and", "logical_or": "logical_or", "logical_not": "logical_not",
    "logical_xor": "logical_xor", "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor", "invert": "bitwise_not", "isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite",
}  # fmt: skip


def array_ufunc(self: Value, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """ufunc(*inputs), one of them `self`: Tensor.__array_ufunc__."""
    out = options.get("out")
    op = _operation(UFUNCS.get(ufunc.__name__))
    if method == "__call__" and not options and op is not None:
        first, *others = [_tensor(self, x) if isinstance(x, np.ndarray | list | tuple) else x for x in inputs]
        return op(first if isinstance(first, Value) else constant(ufunc.__name__, self, first), *others)  # type: ignore[arg-type]
    if out is not None and any(isinstance(y, Value) for y in out):
        raise TypeError(
            f"numpy.{ufunc.__name__}: out is a tensor, expected an array: use copy_, or x += y, of a tensor"
        )
    result = getattr(ufunc, method)(*_plain(ufunc.__name__, inputs), **options)
    if out is not None or result is None:
        return result
    return tuple(make(self.result, y) for y in result) if isinstance(result, tuple) else make(self.result, result)


def array_function(self: Value, function: Any, types: Any, args: Any, options: Any) -> Any:
    """function(*args, **options), with `self` somewhere among them: Tensor.__array_function__."""
    if function in _SHAPE_ONLY:
        return function(*_plain(function.__name__, args, True), **_plain(function.__name__, options, True))
    same = FUNCTIONS.get(function)
    if same is not None:
        try:
            return same(*args, **options)
        except _DiffersError:
            pass
    return function(*_plain(function.__name__, args), **_plain(function.__name__, options))


class _DiffersError(Exception):
    """Raised where NumPy's function means something else for these arguments, or takes some that ours does not."""


def _tensor(like: Value, data: Any) -> Value:
    """`data`, an array or a list, as a tensor: copied, as a pullback may read it later, and nothing counts changes."""
    tensor: Value = make(like.result, np.array(data))
    return tensor


def _operation(name: str | None) -> Callable[..., Any] | None:
    """The function of ops/, or the method that is not on the face, of this name; None if there is none."""
    return None if name is None else getattr(ops, name, None) or getattr(Methods, name, None)


def _plain(name: str, value: Any, any_gradient: bool = False) -> Any:
    """`value` with arrays in the place of tensors, also deep in lists. Raises RuntimeError where a gradient is lost."""
    if isinstance(value, Value):
        if not any_gradient and edge_of(value) is not None:
            _refuse(name)
        return value.array
    if isinstance(value, list | tuple):
        plain = [_plain(name, element, any_gradient) for element in value]
        return plain if isinstance(value, list) else tuple(plain)
    if isinstance(value, dict):
        return {key: _plain(name, element, any_gradient) for key, element in value.items()}
    return value


def _refuse(name: str) -> NoReturn:
    raise RuntimeError(
        f"numpy.{name}: this tensor requires a gradient, and what NumPy does is not recorded: use .detach().numpy() if "
        "none shall flow, or an operation of tinyrnn"
    )


_SHAPE_ONLY = {np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.full_like}


def _reduction(name: str, **renamed: str) -> Callable[..., Any]:
    """f(x, axis=None, *, keepdims=False), with every other option of NumPy's left at what it is by default."""

    def reduced(a: Any, axis: Any = None, *args: Any, keepdims: Any = False, **options: Any) -> Any:
        op = _operation(name)
        if args or op is None or not isinstance(a, Value) or not options.keys() <= renamed.keys():
            raise _DiffersError
        named = {renamed[key]: value for key, value in options.items()}
        if axis is None:
            if keepdims:
                raise _DiffersError
            return op(a, **named)
        return op(a, axis, keepdim=bool(keepdims), **named)

    return reduced


def _spread(name: str) -> Callable[..., Any]:
    """std and var: NumPy divides by N, torch by N - 1."""
    reduced = _reduction(name, ddof="correction")

    def spread(a: Any, axis: Any = None, *args: Any, ddof: Any = 0, **options: Any) -> Any:
        return reduced(a, axis, *args, ddof=ddof, **options)

    return spread


def _joined(name: str) -> Callable[..., Any]:
    def joined(arrays: Any, axis: Any = 0, *args: Any, **options: Any) -> Any:
        op = _operation(name)
        tensors = list(arrays)
        some = next((x for x in tensors if isinstance(x, Value)), None)
        if args or options or axis is None or op is None or some is None:
            raise _DiffersError
        return op([x if isinstance(x, Value) else _tensor(some, x) for x in tensors], axis)

    return joined


def _plainly(name: str) -> Callable[..., Any]:
    """A function that takes the same positional arguments in both."""

    def same(*args: Any, **options: Any) -> Any:
        op = _operation(name)
        if options or op is None or not isinstance(args[0], Value):
            raise _DiffersError
        return op(*args)

    return same


def _transpose(a: Any, axes: Any = None) -> Any:
    op = _operation("permute")
    if op is None or not isinstance(a, Value):
        raise _DiffersError
    return op(a, tuple(reversed(range(a.array.ndim))) if axes is None else tuple(axes))


def _where(condition: Any, *choices: Any) -> Any:
    op = _operation("where")
    some = next((x for x in (condition, *choices) if isinstance(x, Value)), None)
    if op is None or some is None or not choices:
        raise _DiffersError
    return op(condition if isinstance(condition, Value) else _tensor(some, condition), *choices)


def _dot(a: Any, b: Any, *args: Any) -> Any:
    if args or np.ndim(a) not in (1, 2) or np.ndim(b) not in (1, 2):
        raise _DiffersError
    return np.matmul(a, b)


def _clip(a: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Any:
    op = _operation("clamp")
    if op is None or options or not isinstance(a, Value):
        raise _DiffersError
    return op(a, a_min, a_max)


def _round(a: Any, decimals: int = 0) -> Any:
    op = _operation("round")
    if op is None or not isinstance(a, Value):
        raise _DiffersError
    return op(a, decimals=decimals)


def _einsum(equation: Any, *operands: Any) -> Any:
    op = _operation("einsum")
    some = next((x for x in operands if isinstance(x, Value)), None)
    if op is None or some is None or not isinstance(equation, str):
        raise _DiffersError
    return op(equation, *[x if isinstance(x, Value) else _tensor(some, x) for x in operands])


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _reduction("sum"), np.mean: _reduction("mean"), np.prod: _reduction("prod"), np.std: _spread("std"),
    np.var: _spread("var"), np.max: _reduction("amax"), np.min: _reduction("amin"), np.argmax: _reduction("argmax"),
    np.argmin: _reduction("argmin"), np.any: _reduction("any"), np.all: _reduction("all"),
    np.concatenate: _joined("cat"), np.stack: _joined("stack"), np.reshape: _plainly("reshape"),
    np.squeeze: _plainly("squeeze"), np.expand_dims: _plainly("unsqueeze"), np.swapaxes: _plainly("transpose"),
    np.moveaxis: _plainly("movedim"), np.broadcast_to: _plainly("broadcast_to"), np.tril: _plainly("tril"),
    np.triu: _plainly("triu"), np.einsum: _einsum, np.round: _round, np.outer: _plainly("outer"),
    np.transpose: _transpose, np.where: _where, np.dot: _dot, np.clip: _clip, np.cumsum: _plainly("cumsum"),
}  # fmt: skip
