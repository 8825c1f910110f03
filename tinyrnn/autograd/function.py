"""Function: an operation of your own, with a derivative of your own, written on tensors.

Inside the package an operation is a function that ends with record(...), on arrays; this is the same in torch's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyrnn.autograd.graph import Array, Value, make
from tinyrnn.autograd.modes import no_grad
from tinyrnn.autograd.record import needs_grad, record_many


class Context:
    """What forward leaves for backward: tensors by save_for_backward, anything else as attributes of any name."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad  # for each argument of apply
        self._saved: tuple[Value | None, ...] = ()
        self._constant: tuple[Value, ...] = ()

    def save_for_backward(self, *tensors: Value | None) -> None:
        """Keeps tensors for backward, which finds them as saved_tensors; a change in place meanwhile is an error."""
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that were saved, as leaves in the same memory."""
        return self._saved

    def mark_non_differentiable(self, *outputs: Value) -> None:
        """Says that no gradient comes back to these results of forward."""
        self._constant = outputs


class Function:
    """A class with two static methods, forward(ctx, *args) and backward(ctx, *gradients of the results), and apply.

    forward   makes one tensor, or a tuple of them, out of args; nothing in it is recorded. Also in two steps, as in
              torch: forward(*args), then setup_context(ctx, inputs, output)
    backward  returns for each of args the gradient, a tensor of its shape, or None; one alone needs no tuple
    apply     what to call: the results of forward, recorded
    Unlike in torch the backward pass cannot be differentiated again. Raises TypeError in apply for a result that is no
    tensor; in the backward pass, for a gradient that is none, and RuntimeError if one is missing or has another shape.
    Source: torch.autograd.Function.

    >>> import tinyrnn
    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = tinyrnn.tensor([3.0], requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor([6.])
    """

    forward: Any
    backward: Any
    setup_context: Any = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """forward(ctx, *args), recorded with backward as its derivative."""
        name = cls.__name__
        inputs = [argument if isinstance(argument, Value) else None for argument in args]
        ctx = Context(tuple([needs_grad(x) for x in inputs]))
        with no_grad():
            if cls.setup_context is None:
                made = cls.forward(ctx, *args)
            else:
                made = cls.forward(*args)
                cls.setup_context(ctx, args, made)
        several = made if isinstance(made, tuple) else (made,)
        for result in several:
            if not isinstance(result, Value):
                raise TypeError(f"{name}: forward returned {type(result).__name__}, expected tensors")
        # The node holds arrays and leaves, never the results themselves: no cycle arises.
        held = ctx._saved
        ctx._saved = tuple([None if x is None else make(x.result, x.array) for x in held])
        constant, ctx._constant = ctx._constant, ()
        classes = [result.result for result in several]

        def pullback(*gs: Array) -> list[Array | None]:
            with no_grad():
                given = cls.backward(ctx, *[make(kind, g) for kind, g in zip(classes, gs, strict=True)])
            gradients = list(given) if isinstance(given, tuple | list) else [given]
            while len(gradients) > len(inputs) and gradients[-1] is None:
                gradients.pop()
            for g in gradients:
                if not isinstance(g, Value | None):
                    raise TypeError(f"{name}: backward returned {type(g).__name__}, expected tensors or None")
            return [None if g is None else g.array for g in gradients]

        if not any(ctx.needs_input_grad):
            return made
        arrays = [y.array.copy() if y.base is not None or _among(y, inputs) else y.array for y in several]
        outs = record_many(
            name,
            arrays,
            inputs,
            pullback,
            saved=[x for x in held if not _among(x, several)],
            saved_outputs=[k for k, y in enumerate(several) if _among(y, held)],
        )
        for out, y in zip(outs, several, strict=True):
            if _among(y, constant):
                out.edge = None
        return tuple(outs) if isinstance(made, tuple) else outs[0]


def _among(value: Value | None, values: Sequence[Value | None]) -> bool:
    return any(value is other for other in values)
