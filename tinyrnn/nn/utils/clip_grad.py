"""Clipping gradients, against the explosions that long products of Jacobians bring.

Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013; torch.nn.utils.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.views import version_of
from tinyrnn.dtypes import get_default_dtype
from tinyrnn.nn.arguments import number
from tinyrnn.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales all gradients by one factor, so that their norm together is at most max_norm; returns the norm before.

        norm = (sum over all entries |g|^p)^(1/p),   g <- g min(1, max_norm / (norm + 1e-6))

    parameters          tensors, or one; those without a gradient are passed over
    norm_type           p; inf, or "inf", for the largest entry
    error_if_nonfinite  whether a norm that is inf or NaN raises RuntimeError, and leaves the gradients as they are
    foreach             accepted, as torch's, and without effect on the numbers
    Raises TypeError for what are no tensors or no numbers, ValueError for a negative or NaN max_norm, or a norm_type
    not above 0. Source: torch.nn.utils.clip_grad_norm_.

    >>> import tinyrnn
    >>> w = tinyrnn.zeros(2, requires_grad=True)
    >>> (w * tinyrnn.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_([w], 1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    max_norm, p = number("clip_grad_norm_", "max_norm", max_norm), number("clip_grad_norm_", "norm_type", norm_type)
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm is {max_norm}, expected a number of at least 0")
    if not p > 0:
        raise ValueError(f"clip_grad_norm_: norm_type is {norm_type}, expected a number above 0, or inf")
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return make(Tensor, np.zeros((), get_default_dtype()))
    norm = _norm(np.array([_norm(g.array.ravel(), p) for g in grads], np.float64), p)
    if error_if_nonfinite and not np.isfinite(norm):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {norm}, so they cannot be scaled: look for the first "
            "gradient that is not finite, or say error_if_nonfinite=False"
        )
    factor = max_norm / (float(norm) + 1e-6)
    if not factor >= 1:  # NaN too goes on into the gradients: it must not be hidden
        for g in grads:
            g.array *= g.dtype.type(factor)
            version_of(g)[0] += 1
    return make(Tensor, np.asarray(norm, np.result_type(*[g.dtype for g in grads])))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Brings each entry of each gradient into [-clip_value, clip_value].

    parameters, foreach  as in clip_grad_norm_
    Raises TypeError for what are no tensors or no number, ValueError for a negative or NaN clip_value.
    Source: torch.nn.utils.clip_grad_value_.
    """
    clip_value = number("clip_grad_value_", "clip_value", clip_value)
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value is {clip_value}, expected a number of at least 0")
    for g in _gradients("clip_grad_value_", parameters):
        np.clip(g.array, -clip_value, clip_value, out=g.array)
        version_of(g)[0] += 1


def _gradients(name: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients that there are, each once."""
    several = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for parameter in several:
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{name}: got a {type(parameter).__name__}, expected tensors, as in model.parameters()")
    return list({id(p): p.grad for p in several if p.grad is not None}.values())


def _norm(g: Array, p: float) -> Array:
    if g.dtype == np.float16:  # whose squares overflow at 256
        g = g.astype(np.float32)
    if p == 2:
        return np.asarray(np.sqrt(g.dot(g)))
    size = np.abs(g)
    return np.asarray(size.max(initial=0) if p == np.inf else (size**p).sum() ** (1 / p))
