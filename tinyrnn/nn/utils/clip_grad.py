"""Clipping gradients, against the explosions that long products of Jacobians bring.

Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013; torch.nn.utils.
"""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.views import version_of
from tinyrnn.dtypes import get_default_dtype
from tinyrnn.nn.arguments import as_float, several_tensors
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
    limit = _limit("clip_grad_norm_", "max_norm", max_norm)
    if isinstance(parameters, types.GeneratorType):
        parameters = list(parameters)
        if not parameters:
            warnings.warn(
                "clip_grad_norm_: `parameters` is an empty generator, no gradient clipping will occur: it was gone "
                "through before, perhaps",
                UserWarning,
                stacklevel=2,
            )
    grads = _gradients("clip_grad_norm_", parameters)
    norm = _total_norm("clip_grad_norm_", grads, norm_type, error_if_nonfinite)
    _scale(grads, limit, norm)
    return _as_tensor(norm, grads)


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """clip_grad_norm_ under its old name, with a FutureWarning, as in torch."""
    warnings.warn(
        "clip_grad_norm is now deprecated in favor of clip_grad_norm_ (with an underscore)", FutureWarning, stacklevel=2
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """(sum over all entries of all tensors |x|^p)^(1/p): clip_grad_norm_'s norm, of the tensors themselves.

    Raises as clip_grad_norm_ does. Source: torch.nn.utils.get_total_norm.

    >>> import tinyrnn
    >>> get_total_norm([tinyrnn.tensor([3.0]), tinyrnn.tensor([[4.0]])])
    tensor(5.)
    """
    several = several_tensors("get_total_norm", tensors)
    return _as_tensor(_total_norm("get_total_norm", several, norm_type, error_if_nonfinite), several)


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor | float, foreach: bool | None = None
) -> None:
    """Scales all gradients by min(1, max_norm / (total_norm + 1e-6)), for a norm that is known already.

    Raises as clip_grad_norm_ does. Source: torch.nn.utils.clip_grads_with_norm_.
    """
    limit = _limit("clip_grads_with_norm_", "max_norm", max_norm)
    norm = as_float("clip_grads_with_norm_", "total_norm", total_norm)
    _scale(_gradients("clip_grads_with_norm_", parameters), limit, norm)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Brings each entry of each gradient into [-clip_value, clip_value].

    parameters, foreach  as in clip_grad_norm_
    Raises TypeError for what are no tensors or no number, ValueError for a negative or NaN clip_value.
    Source: torch.nn.utils.clip_grad_value_.
    """
    clip_value = _limit("clip_grad_value_", "clip_value", clip_value)
    dtype = None
    for g in _gradients("clip_grad_value_", parameters):
        array = g.array
        if array.dtype is not dtype:
            dtype = array.dtype
            low, high = np.array(-clip_value, dtype), np.array(clip_value, dtype)
        np.maximum(array, low, out=array)  # for small arrays, np.clip takes twice as long as these two
        np.minimum(array, high, out=array)
        version_of(g)[0] += 1


def _limit(name: str, what: str, value: float) -> float:
    limit = as_float(name, what, value)
    if not limit >= 0:
        raise ValueError(f"{name}: {what} is {limit}, expected a number of at least 0")
    return limit


def _gradients(name: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients that there are, each once."""
    grads = {id(p): p.grad for p in several_tensors(name, parameters)}
    return [g for g in grads.values() if g is not None]


def _total_norm(name: str, tensors: list[Tensor], norm_type: float, error_if_nonfinite: bool) -> float:
    p = as_float(name, "norm_type", norm_type)
    if not p > 0:
        raise ValueError(f"{name}: norm_type is {norm_type}, expected a number above 0, or inf")
    norms = [_norm(x.array.ravel(), p) for x in tensors]
    norm = math.sqrt(sum([n * n for n in norms])) if p == 2 else _norm(np.array(norms, np.float64), p)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"{name}: the norm of the gradients is {norm}, so they cannot be scaled: look for the first "
            "gradient that is not finite, or say error_if_nonfinite=False"
        )
    return norm


def _as_tensor(norm: float, tensors: list[Tensor]) -> Tensor:
    dtype = np.result_type(*[x.dtype for x in tensors]) if tensors else get_default_dtype()
    return make(Tensor, np.asarray(norm, dtype))


def _scale(grads: list[Tensor], max_norm: float, norm: float) -> None:
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:  # NaN too goes on into the gradients: it must not be hidden
        factors = {dtype: np.array(factor, dtype) for dtype in {g.array.dtype for g in grads}}
        for g in grads:
            array = g.array
            array *= factors[array.dtype]
            version_of(g)[0] += 1


def _norm(g: Array, p: float) -> float:
    if g.dtype.itemsize == 2:  # float16, whose squares overflow at 256
        g = g.astype(np.float32)
    if p == 2:
        return math.sqrt(g.dot(g)) if len(g) != 1 else abs(g.item())  # whose square might overflow
    size = np.abs(g)
    return float(size.max(initial=0) if p == math.inf else (size**p).sum() ** (1 / p))
