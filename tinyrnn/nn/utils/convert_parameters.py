"""All parameters as one vector, and back: for what works on a point of the whole space, not on matrices."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinyrnn import ops
from tinyrnn.autograd.modes import no_grad
from tinyrnn.nn.arguments import several_tensors
from tinyrnn.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The numbers of all parameters, one after another, as one vector (n,); gradients flow back through it.

    Raises TypeError for what are no tensors, ValueError for none. Source: torch.nn.utils.parameters_to_vector.

    >>> import tinyrnn
    >>> parameters_to_vector([tinyrnn.ones(1, 2), tinyrnn.zeros(1)])
    tensor([1., 1., 0.])
    """
    several = several_tensors("parameters_to_vector", parameters)
    if not several:
        raise ValueError("parameters_to_vector: there are no parameters, expected at least one")
    return ops.cat([parameter.reshape(-1) for parameter in several])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copies a vector (n,), as parameters_to_vector gives it, into the parameters, cast to their dtypes.

    (torch puts pieces of the vector itself in their place.) Raises TypeError for what are no tensors, ValueError for a
    vector of another length, before anything is changed. Source: torch.nn.utils.vector_to_parameters.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: got a {type(vec).__name__}, expected a tensor")
    several = several_tensors("vector_to_parameters", parameters)
    sizes = [math.prod(parameter.shape) for parameter in several]
    if vec.shape != (sum(sizes),):
        raise ValueError(f"vector_to_parameters: the vector has shape {vec.shape}, expected ({sum(sizes)},)")
    start = 0
    with no_grad():
        for parameter, n in zip(several, sizes, strict=True):
            parameter.copy_(vec[start : start + n].reshape(parameter.shape))
            start += n
