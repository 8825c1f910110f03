"""Tensor: an array of NumPy's that remembers how it was computed. Its methods are the functions of ops/, by topic."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.absent import Absent
from tinyrnn.autograd.backward import backward
from tinyrnn.autograd.graph import Array, Node, Value, make
from tinyrnn.autograd.hooks import register_hook, retain_grad
from tinyrnn.autograd.views import edge_of, version_of
from tinyrnn.devices import CPU
from tinyrnn.devices import device as device_type
from tinyrnn.formatting import format_tensor
from tinyrnn.making import check_may_require, construct
from tinyrnn.numpy_protocol import array_function, array_ufunc
from tinyrnn.ops import compare, joining, shaping
from tinyrnn.ops.methods import Methods
from tinyrnn.size import Size


class Tensor(Methods):
    """An array with a place in the graph of what was computed.

    array          the NumPy array itself; reading or writing it goes unrecorded
    requires_grad  whether a backward pass has to reach it
    grad           after backward(), for a leaf: dL/d(this tensor), of its shape and dtype
    shape, dtype   as the array's

    Made by tinyrnn.tensor(...), zeros(...), randn(...) and by every operation; Tensor(2, 3) and Tensor([1, 2]), in the
    default dtype, are the constructors of old (see legacy.py). Source: the interface is torch.Tensor's.

    >>> import tinyrnn
    >>> x = tinyrnn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([[2., 4.],
            [6., 8.]])
    """

    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Tensor(2, 3), of that shape with whatever the memory held; Tensor([1, 2]), a copy: see making.construct."""
        return construct(cls, "Tensor", args, None, options)

    # what it is

    @property
    def shape(self) -> Size:
        """The size of each axis."""
        return Size(self.array.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def device(self) -> device_type:
        """The CPU."""
        return CPU

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    @property
    def itemsize(self) -> int:
        """The number of bytes of one element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """The number of bytes of all elements."""
        return self.array.nbytes

    # its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether a backward pass has to go through this tensor, or to end here. Can be set on a leaf."""
        return self.wants_grad or edge_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.edge is not None:
            if not wanted:
                raise RuntimeError(
                    "requires_grad: a tensor that was computed from others requires a gradient as they do: "
                    "detach() gives one that does not"
                )
            return
        check_may_require(self.array.dtype, {"requires_grad": wanted})
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
        if total is None and self.edge is not None and self.retained is None:
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
        edge_of(self)  # which brings the node of a view up to date
        return self.edge is None

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

    def detach_(self) -> Self:
        """Takes this tensor itself out of the graph: it becomes a leaf. Raises RuntimeError for a view."""
        if self.base is not None:
            raise RuntimeError("detach_: this tensor is a view of another, which would stay in the graph: use detach()")
        self.edge, self.wants_grad = None, False
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
    def retains_grad(self) -> bool:
        """Whether it is no leaf and retain_grad() was called."""
        return self.retained is not None

    @property
    def _version(self) -> int:
        return version_of(self)[0]

    # out into Python and NumPy

    def numpy(self, *, force: bool = False) -> Array:
        """The array itself, not a copy. Raises RuntimeError while it requires a gradient, unless force: detach() it."""
        if not force and self.requires_grad:
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
                "x.any(), or x.all()"
            )
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "bui":
            raise TypeError(f"a tensor of {self.dtype} cannot be an index, expected one of whole numbers")
        return int(self.item())

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise TypeError("iter: a 0-d tensor has no elements to go through: item() gives its number")
        return iter(joining.unbind(self))

    def __contains__(self, element: Any) -> bool:
        return bool(compare.eq(self, element).array.any())

    def __repr__(self) -> str:
        return format_tensor(self.array, self.grad_fn, self.wants_grad)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 else object.__format__(self, spec)

    def __copy__(self) -> Self:
        """A leaf in the same memory: what changes one in place is counted for both."""
        copy = make(type(self), self.array)
        copy.version, copy.wants_grad = version_of(self), self.wants_grad and self.edge is None
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

    # methods of torch's that are not here; a __getattr__ for them all would slow the reading of every attribute down
    apply_, map_, bfloat16, cfloat, imag = Absent(), Absent(), Absent(), Absent(), Absent()
    histc, inverse, svd, to_sparse = Absent(), Absent(), Absent(), Absent()
    pin_memory, share_memory_ = Absent(), Absent()

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


Value.result = Tensor
_COMPARABLE = (Value, int, float, complex, np.ndarray, np.generic)


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def _rebuild(cls: type[Tensor], array: Array, wants_grad: bool) -> Tensor:
    tensor = make(cls, array)
    tensor.wants_grad = wants_grad
    return tensor
