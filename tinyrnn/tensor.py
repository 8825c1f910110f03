"""Tensor: an array of NumPy's that remembers how it was computed. Its methods are the functions of ops/, by topic."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Self, overload

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.backward import backward
from tinyrnn.autograd.graph import Array, Node, Value, make
from tinyrnn.autograd.hooks import register_hook, retain_grad
from tinyrnn.autograd.views import source_of, version_of
from tinyrnn.dtypes import float32, float64, get_default_dtype, int64
from tinyrnn.formatting import format_tensor
from tinyrnn.ops import compare, pointwise, shaping
from tinyrnn.ops.methods import Methods
from tinyrnn.ops.operands import normal_axis, to_arguments


class Tensor(Methods):
    """An array with a place in the graph of what was computed.

    array          the NumPy array itself; reading or writing it goes unrecorded
    requires_grad  whether a backward pass has to reach it
    grad           after backward(), for a leaf: dL/d(this tensor), of its shape and dtype
    shape, dtype   as the array's

    Made by tinyrnn.tensor(...), zeros(...), randn(...) and by every operation. Source: the interface is torch.Tensor's.

    >>> import tinyrnn
    >>> x = tinyrnn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([[2., 4.],
            [6., 8.]])
    """

    __array_priority__ = 1000  # array + tensor is the tensor's to answer

    def __new__(cls, data: Any = (), dtype: DTypeLike | None = None) -> Self:
        """A tensor of the default dtype with a copy of the data, which are lists or an array.

        Raises TypeError for a whole number, of which torch makes a size.
        """
        if isinstance(data, builtins.int) and not isinstance(data, bool):
            raise TypeError(
                f"Tensor: got {data}: say tinyrnn.empty({data}) for a size, tinyrnn.tensor({data}) for a number"
            )
        return make(cls, np.array(getattr(data, "array", data), get_default_dtype() if dtype is None else dtype))

    # what it is

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @overload
    def size(self) -> tuple[int, ...]: ...
    @overload
    def size(self, dim: int) -> int: ...
    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis."""
        return self.array.shape if dim is None else self.array.shape[self._axis("size", dim)]

    def dim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    def stride(self, dim: int | None = None) -> Any:
        """For each axis, or for one, how many elements further the next one lies in memory."""
        steps = tuple([step // self.array.itemsize for step in self.array.strides])
        return steps if dim is None else steps[self._axis("stride", dim)]

    def _axis(self, name: str, dim: int) -> int:
        if not self.array.ndim:
            raise IndexError(f"{name}: a 0-d tensor has no axes, and so no dim {dim}")
        return normal_axis(name, dim, self.array.ndim)

    def is_floating_point(self) -> bool:
        """Whether the elements are float16, float32 or float64."""
        return self.array.dtype.kind == "f"

    # its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether a backward pass has to go through this tensor, or to end here. Can be set on a leaf."""
        return self.wants_grad or source_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.node is not None:
            if not wanted:
                raise RuntimeError(
                    "requires_grad: a tensor that was computed from others requires a gradient as they do: "
                    "detach() gives one that does not"
                )
            return
        if wanted and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"requires_grad: a tensor of {self.dtype} carries no gradient, expected a floating dtype: .float() it"
            )
        self.wants_grad = bool(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets requires_grad, and returns the tensor. Raises RuntimeError as the assignment does."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """dL/d(this leaf), summed over the backward passes since it was last None or zero.

        For what is no leaf it is None, with a UserWarning, unless retain_grad() was called.
        """
        total: Tensor | None = self.total_grad
        if total is None and self.node is not None and self.retained is None:
            warnings.warn(
                "grad: this tensor was computed from others, and backward keeps only the gradients of leaves: call "
                "retain_grad() on it before backward",
                UserWarning,
                stacklevel=2,
            )
        return total

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None:
            if not isinstance(grad, Tensor):
                raise TypeError(f"grad: got {type(grad).__name__}, expected a tensor or None")
            if grad is self:
                raise ValueError("grad: a tensor cannot be its own gradient: give it a clone()")
            if grad.shape != self.shape or grad.dtype != self.dtype:
                raise ValueError(
                    f"grad: got shape {grad.shape} of {grad.dtype} for a tensor of shape {self.shape} of {self.dtype}"
                )
        self.total_grad = grad

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user and not by a recorded operation."""
        source_of(self)  # which brings the node of a view up to date
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made it; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph; changes of it are not counted. Assigning puts another array in place."""
        return make(Tensor, self.array)

    @data.setter
    def data(self, data: Tensor) -> None:
        if not isinstance(data, Tensor):
            raise TypeError(f"data: got {type(data).__name__}, expected a tensor")
        if self.wants_grad and data.dtype.kind != "f":
            raise TypeError(f"data: a tensor that requires a gradient cannot become {data.dtype}")
        if self.base is not None:  # no longer a view: what happens to the base's memory is not counted here
            self.base, self.version = None, None
        self.array = data.array

    def detach(self) -> Tensor:
        """The same memory outside the graph: nothing flows back through it. Changes of either are counted for both."""
        return _alias(self)

    def detach_(self) -> Self:
        """Takes this tensor itself out of the graph: it becomes a leaf. Raises RuntimeError for a view."""
        if self.base is not None:
            raise RuntimeError("detach_: this tensor is a view of another, which would stay in the graph: use detach()")
        self.node, self.wants_grad = None, False
        return self

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Adds dL/dx to x.grad of every leaf x that requires one, for L = <gradient, this tensor>.

        gradient      a tensor of this one's shape; for a single element it may be left out, and is 1
        retain_graph  keep the graph for another pass; by default it is freed
        create_graph  must be False: the backward pass is not itself recorded
        inputs        fill only these tensors' .grad
        What is raised when: see tinyrnn.autograd.backward.
        """
        backward(self, gradient, retain_graph, create_graph, inputs)

    register_hook = register_hook
    retain_grad = retain_grad

    @property
    def _version(self) -> int:
        return version_of(self)[0]

    # out into Python and NumPy

    def numpy(self) -> Array:
        """The array itself, not a copy. Raises RuntimeError while it requires a gradient: detach() it first."""
        if self.requires_grad:
            raise RuntimeError(
                "numpy: this tensor requires a gradient, and what NumPy does is not recorded: use .detach().numpy()"
            )
        return self.array

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The one element, as a number of Python's. Raises ValueError if there are more, or none."""
        if self.array.size != 1:
            raise ValueError(f"item: a tensor of shape {self.shape} has {self.array.size} elements, expected one")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python's numbers."""
        return self.array.tolist()

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len: a 0-d tensor has no length")
        return len(self.array)

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ValueError(
                f"bool: whether a tensor of shape {self.shape} is true is ambiguous, expected one element: ask for "
                "x.numpy().any(), or .all()"
            )
        return bool(self.array.item())

    def __float__(self) -> builtins.float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "bui":
            raise TypeError(f"a tensor of {self.dtype} cannot be an index, expected one of whole numbers")
        return int(self.item())

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise TypeError("iter: a 0-d tensor has no elements to go through: item() gives its number")
        return iter(shaping.unbind(self))

    def __contains__(self, element: Any) -> bool:
        return bool(compare.eq(self, element).array.any())

    def __repr__(self) -> str:
        return format_tensor(self.array, self.grad_fn, self.wants_grad)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 else object.__format__(self, spec)

    def __copy__(self) -> Self:
        """A leaf in the same memory: what changes one in place is counted for both."""
        copy = make(type(self), self.array)
        copy.version, copy.wants_grad = version_of(self), self.wants_grad and self.node is None
        return copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if not self.is_leaf:
            raise RuntimeError("deepcopy: only leaves can be copied with their graph left behind: detach() it first")
        copy = make(type(self), self.array.copy())
        copy.wants_grad = self.wants_grad
        copy.total_grad = None if self.total_grad is None else make(Tensor, self.total_grad.array.copy())
        return copy

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise RuntimeError("pickle: only leaves can be pickled: detach() it first")
        return _rebuild, (type(self), self.array, self.wants_grad)

    # dtypes

    def to(self, *args: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
        """This tensor in a dtype, or that of another tensor; itself if it has it. A device may be named: the CPU."""
        wanted = to_arguments(args, dtype, device)
        return self if wanted is None else pointwise.cast(self, wanted)

    def float(self) -> Tensor:
        """As float32."""
        return pointwise.cast(self, float32)

    def double(self) -> Tensor:
        """As float64."""
        return pointwise.cast(self, float64)

    def long(self) -> Tensor:
        """As int64."""
        return pointwise.cast(self, int64)

    # operations: the table of ops/methods.py, and these

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return compare.eq(self, other) if isinstance(other, _COMPARABLE) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return compare.ne(self, other) if isinstance(other, _COMPARABLE) else NotImplemented

    @property
    def T(self) -> Tensor:  # noqa: N802
        """The transpose of a matrix."""
        return shaping.t(self)

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The last two axes exchanged."""
        return shaping.transpose(self, -2, -1)


Tensor.result = Tensor
_COMPARABLE = (Value, builtins.int, builtins.float, complex, np.ndarray, np.generic)


def _alias(tensor: Tensor) -> Tensor:
    """A leaf in the same memory, with the same count of changes."""
    version = version_of(tensor)
    alias = make(Tensor, tensor.array)
    alias.version = version
    return alias


def _rebuild(cls: type[Tensor], array: Array, wants_grad: bool) -> Tensor:
    tensor = make(cls, array)
    tensor.wants_grad = wants_grad
    return tensor
