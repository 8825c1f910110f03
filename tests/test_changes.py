"""What is changed in place between forward and backward: an error, or the gradient without the change. Never another.

Each program below is run once for every tensor that any function of the package took or returned meanwhile: arguments,
parameters, buffers, indices, targets, intermediate and final results. That tensor is changed before backward. The
programs call every public function, method, module and loss; the first tests look for one that has none.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn
from gradient_cases import CASES, NO_GRADIENT
from tinyrnn import Tensor, bptt, nn, ops, tensor
from tinyrnn.autograd.record import record
from tinyrnn.nn import functional
from tinyrnn.nn.utils import rnn
from tinyrnn.utils.checkpoint import checkpoint

PACKAGE = str(Path(tinyrnn.__file__).parent)
Run = Callable[[], Any]  # () -> tensors in any nesting
Program = Callable[[], tuple[list[Tensor], Run]]  # () -> new leaves, and what computes with them


def draw(*shape: int) -> Tensor:
    """A float64 leaf with entries from -1.5 to 1.5, away from the kinks at 0."""
    rng = np.random.default_rng(len(str(shape)))
    return tinyrnn.from_numpy(np.asarray(rng.uniform(0.1, 1.5, shape) * rng.choice([-1, 1], shape))).requires_grad_()


def of(op: Callable[..., Any], *shapes: tuple[int, ...]) -> Program:
    """op of new leaves of these shapes."""

    def program() -> tuple[list[Tensor], Run]:
        xs = [draw(*shape) for shape in shapes]
        return xs, lambda: op(*xs)

    return program


def of_a_copy(op: Callable[..., Any], shape: tuple[int, ...], **options: Any) -> Program:
    """op, which changes its argument, of the result of an operation."""
    return of(lambda x: op(x * 1, **options), shape)


def module(make: Callable[[], Any], *inputs: Any, call: Callable[..., Any] | None = None) -> Program:
    """A new module in float64 of its inputs: shapes, or functions that make a tensor. Its parameters are leaves too."""

    def program() -> tuple[list[Tensor], Run]:
        made = make().double()
        xs = [draw(*x) if isinstance(x, tuple) else x() for x in inputs]
        leaves = [x for x in xs if x.requires_grad] + list(made.parameters())
        return leaves, lambda: call(made, *xs) if call else made(*xs)

    return program


def classes() -> Tensor:
    return tensor([0, 2, 1, 2])


def signs() -> Tensor:
    return tensor([1.0, -1, 1, -1], dtype=tinyrnn.float64)


def signs_2d() -> Tensor:
    return tensor([[1.0, -1, 1]] * 4, dtype=tinyrnn.float64)


def chances() -> Tensor:
    return tensor([[0.1, 0.6, 0.3]] * 4, dtype=tinyrnn.float64)


def weights(n: int = 3) -> Tensor:
    return tensor([0.5, 1.0, 2.0][:n], dtype=tinyrnn.float64)


F, X = functional, (4, 3)
FUNCTIONS: dict[str, list[Program]] = {
    **{name: [of(getattr(F, name), X)] for name in (
        *("celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid"),
        *("mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh"),
        *("tanhshrink", "dropout", "normalize"),
    )},
    **{name: [of_a_copy(getattr(F, name), X)] for name in (
        *("celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "selu_"),
    )},
    "gelu": [of(F.gelu, X), of(lambda x: F.gelu(x, approximate="tanh"), X)],
    "threshold": [of(lambda x: F.threshold(x, 0.2, 5.0), X)],
    "threshold_": [of(lambda x: F.threshold_(x * 1, 0.2, 5.0), X)],
    "glu": [of(F.glu, (3, 4))],
    "prelu": [of(F.prelu, X, (3,)), of(F.prelu, X, (1,))],
    "softmax": [of(lambda x: F.softmax(x, 1), X)],
    "log_softmax": [of(lambda x: F.log_softmax(x, 1), X)],
    "softmin": [of(lambda x: F.softmin(x, 1), X)],
    "dropout1d": [of(F.dropout1d, (2, 3, 4))],
    "dropout2d": [of(F.dropout2d, (2, 3, 4, 2))],
    "linear": [of(F.linear, (5, 3), (4, 3), (4,)), of(F.linear, (2, 5, 3), (4, 3)), of(F.linear, (3,), (4, 3), (4,))],
    "bilinear": [of(F.bilinear, (4, 3), (4, 5), (2, 3, 5), (2,))],
    "pad": [of(lambda x: F.pad(x, (1, 2)), X)],
    "embedding": [
        of(lambda w: F.embedding(tensor([[0, 2], [2, 1]]), w), X),
        of(lambda w: F.embedding(tensor([[0, 2], [2, 1]]), w, padding_idx=1, scale_grad_by_freq=True), X),
        of(lambda w: F.embedding(tensor([[0, 2], [2, 1]]), w, max_norm=1.0), X),
    ],
    "layer_norm": [of(lambda x, w, b: F.layer_norm(x, (3,), w, b), X, (3,), (3,)), of(lambda x: F.layer_norm(x, 3), X)],
    "rms_norm": [of(lambda x, w: F.rms_norm(x, (3,), w), X, (3,)), of(lambda x: F.rms_norm(x, (3,)), X)],
    "batch_norm": [
        of(lambda x, w, b: F.batch_norm(x, weights(), weights(), w, b, training=True), X, (3,), (3,)),
        of(lambda x, w, b: F.batch_norm(x, weights(), weights(), w, b), X, (3,), (3,)),
        of(lambda x: F.batch_norm(x, None, None, training=True), (4, 3, 2)),
    ],
    "cosine_similarity": [of(F.cosine_similarity, X, X), of(lambda x, y: F.cosine_similarity(x, y, 0), (3,), (3,))],
    "pairwise_distance": [
        of(F.pairwise_distance, X, X),
        of(lambda x, y: F.pairwise_distance(x, y, 3.0, keepdim=True), X, X),
    ],
    "mse_loss": [of(F.mse_loss, X, X), of(lambda x, y, w: F.mse_loss(x, y, weight=w), X, X, X)],
    "l1_loss": [of(F.l1_loss, X, X), of(lambda x, y, w: F.l1_loss(x, y, weight=w), X, X, X)],
    "smooth_l1_loss": [of(F.smooth_l1_loss, X, X), of(lambda x, y: F.smooth_l1_loss(x, y, beta=0.4), X, X)],
    "huber_loss": [of(F.huber_loss, X, X), of(lambda x, y, w: F.huber_loss(x, y, weight=w), X, X, X)],
    "poisson_nll_loss": [
        of(F.poisson_nll_loss, X, X),
        of(lambda x, y: F.poisson_nll_loss(x.exp(), y.exp(), log_input=False, full=True), X, X),
    ],
    "gaussian_nll_loss": [of(lambda x, y, v: F.gaussian_nll_loss(x, y, v * v), X, X, X)],
    "binary_cross_entropy": [
        of(lambda x, y: F.binary_cross_entropy(x.sigmoid(), y.sigmoid()), X, X),
        of(lambda x: F.binary_cross_entropy(x.sigmoid(), chances(), weight=weights()), X),
    ],
    "binary_cross_entropy_with_logits": [
        of(lambda x, y: F.binary_cross_entropy_with_logits(x, y.sigmoid()), X, X),
        of(lambda x: F.binary_cross_entropy_with_logits(x, chances(), weights(), pos_weight=weights()), X),
    ],
    "kl_div": [
        of(lambda x, y: F.kl_div(x, y.exp(), reduction="sum"), X, X),
        of(lambda x, y: F.kl_div(x, y, reduction="batchmean", log_target=True), X, X),
    ],
    "cross_entropy": [
        of(lambda x: F.cross_entropy(x, classes()), X),
        of(lambda x: F.cross_entropy(x, classes(), weights(), label_smoothing=0.2, ignore_index=1), X),
        of(lambda x, q: F.cross_entropy(x, q.softmax(1), weights()), X, X),
        of(lambda x: F.cross_entropy(x, classes(), reduction="none"), X),
    ],
    "nll_loss": [
        of(lambda x: F.nll_loss(x, classes()), X),
        of(lambda x: F.nll_loss(x, classes(), weights(), reduction="none"), X),
    ],
    "cosine_embedding_loss": [of(lambda x, y: F.cosine_embedding_loss(x, y, signs()), X, X)],
    "hinge_embedding_loss": [of(lambda x: F.hinge_embedding_loss(x, signs_2d()), X)],
    "margin_ranking_loss": [of(lambda x, y: F.margin_ranking_loss(x, y, signs_2d()), X, X)],
    "soft_margin_loss": [of(lambda x: F.soft_margin_loss(x, signs_2d()), X), of(F.soft_margin_loss, X, X)],
    "triplet_margin_loss": [of(lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True), X, X, X)],
}  # fmt: skip
NO_FUNCTION_GRADIENT = {"one_hot"}

for _name, _function in [(name, getattr(F, name)) for name in FUNCTIONS]:
    if "inplace" in inspect.signature(_function).parameters and _name[-1] != "_":
        shape = {"dropout1d": (2, 3, 4), "dropout2d": (2, 3, 4, 2)}.get(_name, X)
        options = {"threshold": 0.2, "value": 5.0} if _name == "threshold" else {}
        FUNCTIONS[_name].append(of_a_copy(_function, shape, inplace=True, **options))

SEQUENCE, STATE = (5, 4, 3), (2, 4, 4)


def new(name: str, *arguments: Any, **options: Any) -> Callable[[], nn.Module]:
    """What makes nn.name(*arguments, **options)."""
    return lambda: getattr(nn, name)(*arguments, **options)


def packed(layer: nn.Module, x: Tensor) -> Any:
    return layer(rnn.pack_padded_sequence(x, tensor([2, 5, 1, 4]), enforce_sorted=False))


MODULES: dict[str, list[Program]] = {
    **{name: [module(getattr(nn, name), X)] for name in (
        *("CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU"),
        *("LogSigmoid", "Mish", "PReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink"),
        *("Softsign", "Tanh", "Tanhshrink", "Dropout", "Flatten"),
    )},
    **{name: [module(getattr(nn, name), X, X)] for name in (
        *("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "PoissonNLLLoss", "CosineSimilarity", "PairwiseDistance"),
    )},
    **{name: [module(new(name, 1), X)] for name in ("Softmax", "LogSoftmax", "Softmin")},
    "GLU": [module(nn.GLU, (3, 4))],
    "Threshold": [module(lambda: nn.Threshold(0.2, 5.0), X)],
    "Dropout1d": [module(nn.Dropout1d, (2, 3, 4))],
    "Dropout2d": [module(nn.Dropout2d, (2, 3, 4, 2))],
    "Unflatten": [module(lambda: nn.Unflatten(1, (1, 3)), X)],
    "Linear": [module(lambda: nn.Linear(3, 2), X)],
    "Bilinear": [module(lambda: nn.Bilinear(3, 2, 4), X, (4, 2))],
    "Embedding": [module(lambda: nn.Embedding(5, 3, padding_idx=0), classes)],
    "LayerNorm": [module(lambda: nn.LayerNorm(3), X)],
    "RMSNorm": [module(lambda: nn.RMSNorm(3), X)],
    "BatchNorm1d": [
        module(lambda: nn.BatchNorm1d(3), X),
        module(lambda: nn.BatchNorm1d(3).eval(), (4, 3, 2)),
        module(lambda: nn.BatchNorm1d(3), X, call=lambda m, x: m.eval()(m(x))),
    ],
    "Sequential": [module(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), X)],
    "ModuleList": [module(lambda: nn.ModuleList([nn.Linear(3, 3)]), X, call=lambda m, x: m[0](m[0](x)))],
    "ModuleDict": [module(lambda: nn.ModuleDict({"a": nn.Linear(3, 3)}), X, call=lambda m, x: m["a"](x))],
    "ParameterList": [module(lambda: nn.ParameterList([draw(3).detach()]), X, call=lambda m, x: x * m[0])],
    "ParameterDict": [module(lambda: nn.ParameterDict({"a": draw(3).detach()}), X, call=lambda m, x: x * m["a"])],
    **{name: [
        module(new(name, 3, 4), SEQUENCE),
        module(new(name, 3, 4, 2, bidirectional=True, dropout=0.3), SEQUENCE),
        module(new(name, 3, 4, batch_first=True, bias=False), SEQUENCE),
        module(new(name, 3, 4, bidirectional=True), SEQUENCE, call=packed),
        module(new(name, 3, 4), (5, 3)),
        module(
            new(name, 3, 4, bidirectional=True), SEQUENCE, call=lambda m, x: m(x, lengths=[2, 5, 1, 4])
        ),
    ] for name in ("RNN", "LSTM", "GRU")},
    "RNNCell": [module(lambda: nn.RNNCell(3, 4), X, (4, 4)), module(lambda: nn.RNNCell(3, 4, nonlinearity="relu"), X)],
    "GRUCell": [module(lambda: nn.GRUCell(3, 4), X, (4, 4))],
    "LSTMCell": [module(lambda: nn.LSTMCell(3, 4), X, (4, 4), (4, 4), call=lambda m, x, h, c: m(x, (h, c)))],
    "LayerNormLSTMCell": [
        module(lambda: nn.LayerNormLSTMCell(3, 4), X, (4, 4), (4, 4), call=lambda m, x, h, c: m(x, (h, c)))
    ],
    "Recurrent": [
        module(lambda: nn.Recurrent(nn.GRUCell(3, 4)), SEQUENCE),
        module(lambda: nn.Recurrent(nn.LSTMCell(3, 4)), SEQUENCE, call=packed),
        module(lambda: nn.Recurrent(nn.LSTMCell(3, 4)), SEQUENCE, call=lambda m, x: m(x, lengths=[2, 5, 1, 4])),
    ],
    "BCELoss": [module(nn.BCELoss, X, chances, call=lambda m, x, y: m(x.sigmoid(), y))],
    "BCEWithLogitsLoss": [module(lambda: nn.BCEWithLogitsLoss(weights(), pos_weight=weights()), X, chances)],
    "KLDivLoss": [module(lambda: nn.KLDivLoss(reduction="sum"), X, chances)],
    "CrossEntropyLoss": [module(lambda: nn.CrossEntropyLoss(weights(), label_smoothing=0.1), X, classes)],
    "NLLLoss": [module(lambda: nn.NLLLoss(weights()), X, classes)],
    "GaussianNLLLoss": [module(nn.GaussianNLLLoss, X, X, X, call=lambda m, x, y, v: m(x, y, v * v))],
    "HingeEmbeddingLoss": [module(nn.HingeEmbeddingLoss, X, signs_2d)],
    "CosineEmbeddingLoss": [module(nn.CosineEmbeddingLoss, X, X, signs)],
    "MarginRankingLoss": [module(nn.MarginRankingLoss, X, X, signs_2d)],
    "SoftMarginLoss": [module(nn.SoftMarginLoss, X, signs_2d)],
    "TripletMarginLoss": [module(nn.TripletMarginLoss, X, X, X)],
}  # fmt: skip
for _nonlinearity in ("relu", "sigmoid", "identity"):
    MODULES["RNN"].append(module(lambda n=_nonlinearity: nn.RNN(3, 4, nonlinearity=n), SEQUENCE, (1, 4, 4)))
MODULES["GRU"].append(module(lambda: nn.GRU(3, 4, 2), SEQUENCE, STATE))
MODULES["LSTM"] += [
    module(lambda: nn.LSTM(3, 4, 2, proj_size=2), SEQUENCE),
    module(lambda: nn.LSTM(3, 4, 2), SEQUENCE, STATE, STATE, call=lambda m, x, h, c: m(x, (h, c))),
]
NO_MODULE_PROGRAM = {"Module", "RNNBase", "RNNCellBase", "Parameter", "functional", "init", "modules", "utils"}

PARTS: dict[str, list[Program]] = {
    "pack_padded_sequence": [of(lambda x: rnn.pack_padded_sequence(x, tensor([4, 2]), True).data, (2, 4, 3))],
    "pad_packed_sequence": [
        of(lambda x: rnn.pad_packed_sequence(rnn.pack_sequence([x, x[1:]], False))[0], (4, 3)),
        of(lambda x: rnn.pad_packed_sequence(rnn.pack_sequence([x[1:], x], False), True)[0], (4, 3)),
    ],
    "pad_sequence": [of(lambda x, y: rnn.pad_sequence([x, y]), (4, 3), (2, 3))],
    "pack_sequence": [of(lambda x, y: rnn.pack_sequence([x, y], False).data, (2, 3), (4, 3))],
    "unpad_sequence": [of(lambda x: rnn.unpad_sequence(x, tensor([4, 2])), (4, 2, 3))],
    "unpack_sequence": [of(lambda x: rnn.unpack_sequence(rnn.pack_sequence([x[1:], x], False)), (4, 3))],
    "parameters_to_vector": [of(lambda x, y: nn.utils.parameters_to_vector([x, y]), (4, 3), (2,))],
    "checkpointed": [module(lambda: nn.LSTM(3, 4), SEQUENCE, call=lambda m, x: bptt.checkpointed(m, x, segments=2))],
    "checkpoint": [module(lambda: nn.Linear(3, 4), X, call=lambda m, x: checkpoint(lambda x: m(x).tanh(), x * 1))],
}


def named(kind: str, table: dict[str, list[Program]]) -> list[Any]:
    return [
        pytest.param(program, id=f"{kind}.{name}-{k}")
        for name, programs in table.items()
        for k, program in enumerate(programs)
    ]


def from_case(op: Callable[..., Any], shapes: Any) -> Program:
    return of(op, *(shapes if shapes and isinstance(shapes[0], tuple) else (shapes,)))


OPERATIONS = {name: [from_case(op, cases[-1]) for op, cases in several] for name, several in CASES.items()}
PROGRAMS = [
    *(*named("ops", OPERATIONS), *named("functional", FUNCTIONS), *named("nn", MODULES), *named("utils", PARTS)),
]


class Watch:
    """The tensors that functions of the package take or return, each once, in the order of their first appearance."""

    def __init__(self) -> None:
        self.seen: dict[int, Tensor] = {}

    def add(self, values: Iterable[Any]) -> None:
        for value in values:
            if isinstance(value, Tensor):
                self.seen.setdefault(id(value), value)
            elif isinstance(value, list | tuple):
                self.add(value)
            elif isinstance(value, dict):
                self.add(value.values())

    def __call__(self, frame: Any, event: str, returned: Any) -> None:
        code = frame.f_code
        if event in ("call", "return") and code.co_filename.startswith(PACKAGE):
            variadic = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + variadic]
            values = frame.f_locals
            self.add(values[name] for name in names if name in values)
            self.add([returned])


def tensors(result: Any) -> list[Tensor]:
    watch = Watch()
    watch.add([result])
    return list(watch.seen.values())


def change(x: Tensor) -> None:
    with tinyrnn.no_grad():
        if x.dtype == tinyrnn.bool:
            x.logical_not_()
        else:
            x.mul_(x.dtype.type(-3) if x.dtype.kind == "f" else 3).add_(1)


def gradients(program: Program, changed: int | None) -> tuple[int, list[Any]]:
    """How many tensors there are to change, and the gradients of the leaves with one of them changed."""
    tinyrnn.manual_seed(0)
    leaves, run = program()
    watch = Watch()
    sys.setprofile(watch)
    try:
        out = run()
    finally:
        sys.setprofile(None)
    ys = [y for y in tensors(out) if y.requires_grad]
    cotangents = [tensor(np.random.default_rng(1).standard_normal(y.shape), dtype=y.dtype) for y in ys]
    seen = list(watch.seen.values())
    x = seen[changed or 0].array
    before = x.copy()  # it may be a constant of the case
    if changed is not None and x.flags.writeable:
        change(seen[changed])
    try:
        tinyrnn.autograd.backward(ys, cotangents)
    finally:
        if x.flags.writeable:
            x[...] = before
    return len(seen), [None if x.grad is None else x.grad.array for x in leaves]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_change_before_backward_is_refused_or_changes_no_gradient(program: Program) -> None:
    number, expected = gradients(program, None)
    assert number
    assert any(g is not None for g in expected)
    for changed in range(number):
        try:
            _, found = gradients(program, changed)
        except RuntimeError as error:
            assert "changed in place" in str(error)  # noqa: PT017
        else:
            for g, e in zip(found, expected, strict=True):
                np.testing.assert_array_equal(g, e)


NO_PART = {"PackedSequence", "backwards", "invert_permutation", "packed_like", "rows_of", "sequences_of", "rnn"}
NO_PART |= {"clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"}
NO_PART |= {"vector_to_parameters", "Finding", "Report", "check_bptt", "detach", "rtrl", "truncated"}


def test_every_function_module_and_loss_has_a_program() -> None:
    assert set(functional.__all__) == set(FUNCTIONS) | NO_FUNCTION_GRADIENT
    assert set(nn.__all__) == set(MODULES) | NO_MODULE_PROGRAM
    defined = {name for name, f in vars(rnn).items() if name[0] != "_" and getattr(f, "__module__", "") == rnn.__name__}
    assert {*nn.utils.__all__, *bptt.__all__, *defined, "checkpoint"} == set(PARTS) | NO_PART


def test_every_function_and_method_of_a_tensor_is_an_operation_with_a_case() -> None:
    """What is public at the root or a method, and records a node, is defined in ops/ and has a case there."""
    operations = set(CASES) | NO_GRADIENT
    rooms = {f"{ops.__name__}.{m.name}" for m in pkgutil.iter_modules(ops.__path__)}
    found = {name: getattr(tinyrnn, name) for name in tinyrnn.__all__}
    for base in Tensor.__mro__:
        found |= {f"Tensor.{name}": method for name, method in vars(base).items()}
    checked = 0
    for function in found.values():
        home = getattr(function, "__module__", None)
        if not inspect.isfunction(function) or home not in rooms or function.__name__[0] == "_":
            continue
        name = f"{home.rpartition('.')[2]}.{function.__name__}"
        whole = getattr(importlib.import_module(home), function.__name__, None)
        if whole is function:
            assert name in operations, name
            checked += 1
    assert checked > 300


def test_the_watch_sees_a_pullback_that_reads_its_result() -> None:
    """A planted fault: neither the argument nor the result is named as saved."""

    def faulty(x: Tensor) -> Tensor:
        y = np.exp(x.array)
        return record("faulty", y, (x,), lambda g: (g * y,))

    with pytest.raises(AssertionError, match="not equal"):
        test_a_change_before_backward_is_refused_or_changes_no_gradient(of(faulty, X))
