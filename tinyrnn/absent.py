"""What is said of a name that is not here: that it is not, and for torch's common ones what to do instead."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

_CPU = "tinyrnn runs on the CPU: ask cuda.is_available() first, which is False"
_NO_COMPLEX = "complex numbers carry no gradient here: hold the real and imaginary parts in two tensors, or use NumPy"
_NO_CONVOLUTION = "over time, K steps at once: nn.Linear on cat([x[k : T - K + 1 + k] for k in range(K)], -1)"
_NO_ATTENTION = "write attention out: softmax(q @ k.mT / d ** 0.5, -1) @ v"
_NO_GRAPH = "there is nothing to compile: leave the line out, the modules run as they are"
_NO_SPARSE = "every tensor is dense: index_select, scatter_add and nn.Embedding cover what recurrent networks need"
_NO_MIXED = "float32 stays float32: leave the line out, or cast with .double() or .half()"
_THREADS = "the number of threads is that of NumPy's BLAS: set OPENBLAS_NUM_THREADS before Python starts"
_NO_SECOND = "gradients cannot be differentiated again: take differences of autograd.grad"
_NUMPY = "use NumPy on x.detach().numpy(), and tensor(...) or from_numpy(...) back"
_NO_ALIGNMENT = "nn.CrossEntropyLoss is for targets that are aligned with the input"
_ONE_PROCESS = "everything runs in one process: leave the line out"

INSTEAD = {
    "amp": _NO_MIXED,
    "autocast": _NO_MIXED,
    "bfloat16": "NumPy has no bfloat16: use float32",
    "GradScaler": _NO_MIXED,
    "set_float32_matmul_precision": "products of float32 are in float32: leave the line out",
    "compile": _NO_GRAPH,
    "jit": _NO_GRAPH,
    "fx": _NO_GRAPH,
    "export": _NO_GRAPH,
    "onnx": "save(model.state_dict(), path) writes the weights, which torch's own export can read by name",
    "complex": _NO_COMPLEX,
    "complex64": _NO_COMPLEX,
    "complex128": _NO_COMPLEX,
    "cfloat": _NO_COMPLEX,
    "view_as_real": _NO_COMPLEX,
    "fft": "numpy.fft works on arrays: " + _NUMPY,
    "stft": "numpy.fft works on arrays: " + _NUMPY,
    "linalg": "norm(x) is here; numpy.linalg works on arrays: " + _NUMPY,
    "special": _NUMPY,
    "distributions": "draw with multinomial, bernoulli or normal; a log-probability is -nn.functional.cross_entropy",
    "sparse": _NO_SPARSE,
    "sparse_coo_tensor": _NO_SPARSE,
    "to_sparse": _NO_SPARSE,
    "quantization": "numbers are held as they are: leave the line out",
    "ao": "numbers are held as they are: leave the line out",
    "get_num_threads": _THREADS,
    "set_num_threads": _THREADS,
    "set_num_interop_threads": _THREADS,
    "func": _NO_SECOND,
    "vmap": "write the batch as an axis",
    "hessian": _NO_SECOND,
    "jacobian": "call autograd.grad once for each output",
    "set_detect_anomaly": "errors of backward name the operation already; look for NaN with x.isnan().any()",
    "detect_anomaly": "errors of backward name the operation already; look for NaN with x.isnan().any()",
    "profiler": "use Python's own: python -m cProfile",
    "multiprocessing": _ONE_PROCESS,
    "distributed": _ONE_PROCESS,
    "share_memory_": _ONE_PROCESS,
    "DataParallel": _ONE_PROCESS,
    "parallel": _ONE_PROCESS,
    "pin_memory": "there is no other device to copy to: leave it out",
    "hub": "load(path) reads a state_dict",
    "mps": "tinyrnn runs on the CPU: ask backends.mps.is_available() first, which is False",
    "xpu": "tinyrnn runs on the CPU: ask accelerator.is_available() first, which is False",
    "Conv1d": _NO_CONVOLUTION,
    "Conv2d": _NO_CONVOLUTION,
    "conv1d": _NO_CONVOLUTION,
    "conv2d": _NO_CONVOLUTION,
    "MaxPool1d": "x.amax(dim) takes the largest over an axis",
    "AvgPool1d": "x.mean(dim) takes the mean over an axis",
    "max_pool1d": "x.amax(dim) takes the largest over an axis",
    "avg_pool1d": "x.mean(dim) takes the mean over an axis",
    "EmbeddingBag": "nn.Embedding, then .sum or .mean over the axis of the words",
    "GroupNorm": "nn.LayerNorm normalises the last axes",
    "gumbel_softmax": "softmax((x + g) / tau, -1) with g = -(-rand_like(x).log()).log()",
    "weight_norm": "compute with weight_g * weight_v / weight_v.norm(dim=1, keepdim=True) in forward",
    "BatchNorm2d": "nn.BatchNorm1d normalises (N, C) and (N, C, L)",
    "MultiheadAttention": _NO_ATTENTION,
    "Transformer": _NO_ATTENTION,
    "TransformerEncoder": _NO_ATTENTION,
    "TransformerEncoderLayer": _NO_ATTENTION,
    "TransformerDecoder": _NO_ATTENTION,
    "scaled_dot_product_attention": _NO_ATTENTION,
    "CTCLoss": _NO_ALIGNMENT,
    "ctc_loss": _NO_ALIGNMENT,
    "SparseAdam": "gradients are dense: optim.Adam",
    "imag": _NO_COMPLEX,
    "map_": "write it with operations, which carry gradients, or " + _NUMPY,
    "apply_": "write it with operations, which carry gradients, or " + _NUMPY,
    "svd": "numpy.linalg.svd works on arrays: " + _NUMPY,
    "inverse": "numpy.linalg.inv works on arrays: " + _NUMPY,
    "quantile": "numpy.quantile works on arrays: " + _NUMPY,
    "cdist": "(x[:, None] - y[None]).norm(dim=-1)",
    "diff": "x[1:] - x[:-1]",
    "tensorboard": "print the losses, or collect them in a list and draw it with matplotlib",
    "swa_utils": "average the tensors of the state_dicts",
    "version": "tinyrnn.__version__",
    "histc": "numpy.histogram works on arrays: " + _NUMPY,
}


def absent(where: str, name: str) -> AttributeError:
    """The error to raise for `where.name`, a name that is not there.

    >>> print(absent("tinyrnn", "compile"))
    tinyrnn has no 'compile': of torch it holds what recurrent networks need on the CPU. Instead: there is nothing to
    compile: leave the line out, the modules run as they are
    """
    message = f"{where} has no {name!r}"
    if name.startswith("__"):  # Python's own asking around
        return AttributeError(message)
    instead = INSTEAD.get(name, _CPU if where.startswith("tinyrnn.cuda") else None)
    way_out = f"Instead: {instead}" if instead else f"What is here: dir({where})"
    message += f": of torch it holds what recurrent networks need on the CPU. {way_out}"
    return AttributeError(message, name=name, obj=sys.modules.get(where))  # for Python's "Did you mean"


def on_demand(where: str, name: str, rooms: Mapping[str, str]) -> Any:
    """`where.name`, from the module that `rooms` says, loaded only now: so an import does not wait for what few need.

    A package's __getattr__ ends in it. Raises what `absent` says of a name that is not in `rooms`.
    """
    if name not in rooms:
        raise absent(where, name)
    module = importlib.import_module(rooms[name])
    found = module if rooms[name] == f"{where}.{name}" else getattr(module, name)
    setattr(sys.modules[where], name, found)
    return found


class Absent:
    """In a class body, `name = Absent()` makes reading .name raise what `absent` says."""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.where, self.name = owner.__name__, name

    def __get__(self, instance: object, owner: type[Any]) -> NoReturn:
        raise absent(self.where, self.name)
