"""What an operation is given: tensors, numbers and arrays, made ready for NumPy, or refused in words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from tinyrnn.autograd.graph import Array, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import needs_grad
from tinyrnn.devices import check_device
from tinyrnn.devices import device as device_type
from tinyrnn.dtypes import as_dtype, get_default_dtype, promote
from tinyrnn.size import sizes as sizes

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor


_NUMBERS = (int, float, complex)
F = TypeVar("F", bound=Callable[..., Any])


def operands(name: str, input: Tensor, other: Any, any_number: bool = False) -> tuple[Array, Any, Tensor | None]:
    """(x, y, other): the arrays of a binary operation in one dtype, and `other` as a tensor, None if it is a number.

    Raises TypeError for what is neither, ValueError for shapes that do not broadcast and, unless any_number says that
    there is no need, for a number that the whole numbers of the tensor cannot hold (torch lets it wrap).
    """
    if not isinstance(input, Value):
        tensor_argument(name, input)
    x = input.array
    if isinstance(other, np.ndarray):
        if state.grad and needs_grad(input):  # what a pullback may read must not change; here nothing counts changes
            other = other.copy()
        other = make(input.result, other)
    if isinstance(other, Value):
        y = other.array
        if x.dtype is not y.dtype:
            x, y = promote(x, y)
        shape = y.shape
        if x.shape != shape and x.shape[-len(shape) :] != shape:  # the last axes of x, most often
            check_broadcast(name, x.shape, shape)
        return x, y, other  # type: ignore[return-value]
    if isinstance(other, np.generic):
        other = other.item()
    if not isinstance(other, _NUMBERS):
        raise TypeError(f"{name}: cannot combine a tensor with {type(other).__name__}, expected a tensor or a number")
    if x.dtype.kind in "bui":
        if isinstance(other, float):
            x = x.astype(get_default_dtype())
        elif not any_number:
            check_fits(name, other, x.dtype)
    return x, other, None


def floating_operands(name: str, input: Tensor, other: Any) -> tuple[Array, Any, Tensor | None]:
    """`operands`, of which whole numbers are taken in the default dtype."""
    x, y, second = operands(name, input, other)
    if x.dtype.kind in "bui":
        x = x.astype(get_default_dtype())
        y = y if second is None else y.astype(x.dtype)
    return x, y, second


def check_fits(name: str, value: Any, dtype: np.dtype[Any]) -> None:
    """Raises ValueError for a number that a dtype of whole numbers cannot hold; what meets a bool becomes int64."""
    if dtype.kind in "ui" and isinstance(value, int) and not 0 <= value <= 127:
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:
            raise ValueError(
                f"{name}: {value} does not fit {dtype}, which holds {limits.min} to {limits.max}: .long() the tensor "
                "first, or .float() it"
            )


def number(name: str, what: str, value: Any) -> Any:
    """A number of Python's: one of NumPy's has a dtype, which would widen a float32 result. Raises TypeError."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, _NUMBERS):
        raise TypeError(f"{name}: {what} is {type(value).__name__}, expected a number")
    return value


def constant(name: str, like: Tensor, other: Any) -> Tensor:
    """`other` as the first operand beside `like`: a tensor stays itself, a number becomes a 0-d tensor of its dtype."""
    if isinstance(other, Value):
        return cast("Tensor", other)
    x, y, _ = operands(name, like, other)
    number: Tensor = make(like.result, np.asarray(y, np.result_type(x.dtype, y)))
    return number


def check_broadcast(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Raises ValueError unless shapes `a` and `b` broadcast: aligned at the right, equal or 1 on each axis."""
    for m, n in zip(a[::-1], b[::-1], strict=False):
        if m != n and m != 1 and n != 1:
            raise ValueError(
                f"{name}: shapes {a} and {b} do not broadcast: aligned at the right, {m} meets {n}, expected equal "
                "sizes or 1 (unsqueeze, or expand, the one that lacks an axis)"
            )


def tensor_argument(name: str, input: Any) -> Array:
    """The array of a tensor. Raises TypeError, naming the operation, for anything else."""
    if not isinstance(input, Value):
        raise TypeError(f"{name}: expected a tensor, got {type(input).__name__}: make one with tinyrnn.tensor(...)")
    return input.array


def check_same_dtype(name: str, x: Array, y: Array) -> None:
    """Raises TypeError unless both have one dtype: a product in two precisions is a mistake more often than a wish."""
    if x.dtype is not y.dtype and x.dtype != y.dtype:
        raise TypeError(
            f"{name}: the operands are {x.dtype} and {y.dtype}, expected one dtype: cast one of them, with .float() "
            "or .double() (a module is cast whole, as in model.double())"
        )


def floating(name: str, input: Any) -> Array:
    """The array of a tensor in a floating dtype: whole numbers become the default one, as in torch's sqrt, exp, ..."""
    if not isinstance(input, Value):
        tensor_argument(name, input)
    x: Array = input.array
    return x.astype(get_default_dtype()) if x.dtype.kind in "bui" else x


def check_floating(name: str, x: Array) -> None:
    """Raises TypeError unless the array is of a floating dtype."""
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: the input is {x.dtype}, expected a floating dtype: .float() it")


def floating_tensor(name: str, input: Any) -> Array:
    """The array of a tensor. Raises TypeError unless it is of a floating dtype: whole numbers are not cast here."""
    x = tensor_argument(name, input)
    check_floating(name, x)
    return x


def normal_axis(name: str, dim: Any, ndim: int) -> int:
    """`dim` as 0..ndim-1; a 0-d tensor counts as having one axis. Raises TypeError or IndexError."""
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise TypeError(f"{name}: dim is {dim!r}, expected a whole number")
    n = max(ndim, 1)
    if not -n <= dim < n:
        raise IndexError(f"{name}: dim {dim} is out of range for a tensor of {ndim} axes, expected {-n} to {n - 1}")
    return int(dim) % n


def existing_axis(name: str, dim: Any, ndim: int) -> int:
    """normal_axis, but a 0-d tensor has none. Raises TypeError or IndexError."""
    if not ndim:
        raise IndexError(f"{name}: a 0-d tensor has no axes, and so no dim {dim}")
    return normal_axis(name, dim, ndim)


def normal_axes(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """One dim or several, as distinct axes; None and () stand for all of them."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    axes = tuple(normal_axis(name, d, ndim) for d in (dim if isinstance(dim, tuple | list) else (dim,)))
    if len(set(axes)) < len(axes):
        raise ValueError(f"{name}: dim {dim} names an axis twice")
    return axes[:ndim]  # dim 0 of a 0-d tensor is no axis of NumPy's


def where_it_passes(g: Array, mask: Array) -> Array:
    """g where the mask holds, else 0. A product is faster than a choice, but 0 times inf or NaN would be NaN."""
    return g * mask if np.isfinite(g).all() else np.where(mask, g, 0)


def to_arguments(args: tuple[Any, ...], dtype: Any, device: Any) -> np.dtype[Any] | None:
    """The dtype that x.to(...) asks for: itself, or a tensor that has it; None beside a device, which is the CPU.

    A bool among the positional arguments is torch's non_blocking or copy, and says nothing of a dtype.
    """
    for argument in args:
        if isinstance(argument, Value):
            dtype = argument.dtype
        elif isinstance(argument, str | device_type):
            device = argument
        elif not isinstance(argument, bool | None):
            dtype = argument
    check_device("to", device)
    return None if dtype is None else as_dtype("to", dtype)


def numpy_names(op: F) -> F:
    """`op`, which takes its dim and keepdim under NumPy's names too, axis and keepdims, as torch's ops do."""

    @functools.wraps(op)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            if "axis" in kwargs and "dim" not in kwargs:  # with both, the operation itself complains
                kwargs["dim"] = kwargs.pop("axis")
            if "keepdims" in kwargs and "keepdim" not in kwargs:
                kwargs["keepdim"] = kwargs.pop("keepdims")
        return op(*args, **kwargs)

    return cast(F, renamed)


def numbers_for(name: str, value: Any, dtype: np.dtype[Any]) -> Array:
    """A number, list or array that is to be written into a tensor of `dtype`, as an array; fractions may be cut there.

    Raises ValueError for a number that the dtype cannot hold, TypeError for a complex one where it holds real ones, and
    for what is no number.
    """
    if type(value) in (int, float, bool) and 0 <= value <= 127:
        return np.asarray(value, dtype)
    y = np.asarray(value)
    as_dtype(name, y.dtype)
    if y.dtype.kind == "c" and dtype.kind not in "bc":
        raise TypeError(f"{name}: complex numbers do not fit {dtype}: take their .real")
    if y.size and y.dtype != dtype and dtype.kind in "uif" and y.dtype.kind != "b":
        low, high = y.min().item(), y.max().item()
        if dtype.kind == "f":
            limit = float(np.finfo(dtype).max)
            fits = not (limit < high < float("inf") or -limit > low > -float("inf"))
        else:
            limits = np.iinfo(dtype)
            fits = limits.min - 1 < low and high < limits.max + 1  # never of NaN
        if not fits:
            raise ValueError(f"{name}: not all numbers fit {dtype}: there are such from {low} to {high}")
    return y


def whole_numbers(name: str, index: Any) -> Array:
    """The numbers of an index, as an array that nobody else may change."""
    array = tensor_argument(name, index)
    if array.dtype.kind not in "ui":
        raise TypeError(f"{name}: the index is {array.dtype}, expected whole numbers: .long() it")
    return array.astype(np.int64)


def check_index(name: str, index: Array, low: int, n: int, axis: int) -> None:
    """Raises IndexError unless low <= index < n."""
    if index.size and (index.min() < low or index.max() >= n):
        wrong = index[(index < low) | (index >= n)][0]
        raise IndexError(
            f"{name}: index {wrong} is out of range for axis {axis} of size {n}, expected {low} to {n - 1}"
        )


def slices_along(name: str, x: Array, dim: int, index: Any) -> tuple[int, Array]:
    """The axis, and a vector of numbers of slices along it."""
    axis, numbers = normal_axis(name, dim, x.ndim), whole_numbers(name, index)
    if numbers.ndim > 1:
        raise ValueError(f"{name}: the index has shape {numbers.shape}, expected one axis: use x[index]")
    return axis, numbers.reshape(-1)


def element_places(name: str, x: Array, dim: int, index: Any) -> tuple[Any, ...]:
    """Where, for each element of the index, to look in x: its own place, but for dim at index."""
    axis, numbers = normal_axis(name, dim, x.ndim), whole_numbers(name, index)
    if not x.ndim or not numbers.ndim:  # a 0-d tensor counts as one of one axis
        numbers = numbers.reshape(numbers.shape or (1,))
    shape, sizes = x.shape or (1,), numbers.shape
    fits = len(shape) == len(sizes)
    if not fits or any(n > m for i, (n, m) in enumerate(zip(sizes, shape, strict=True)) if i != axis):
        raise ValueError(
            f"{name}: the index has shape {tuple(index.shape)}, the tensor {x.shape}: expected as many axes, none of "
            f"them longer but for axis {axis}"
        )
    check_index(name, numbers, 0, shape[axis], axis)
    where: list[Array] = list(np.ogrid[tuple([slice(n) for n in sizes])])
    where[axis] = numbers
    return tuple(where)
