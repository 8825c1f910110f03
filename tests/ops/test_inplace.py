"""Changes in place: the operation's own values and gradients, in the same memory, and torch's refusals."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

BINARY = ["add", "sub", "mul", "div", "pow"]
DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]
SYMBOLS = {
    "add": operator.iadd,
    "sub": operator.isub,
    "mul": operator.imul,
    "div": operator.itruediv,
    "pow": operator.ipow,
}


@pytest.mark.parametrize("name", BINARY)
@given(st.lists(st.integers(0, 3), max_size=3), st.data())
def test_value_and_gradient_are_torchs(agree: Callable[..., None], name: str, shape: list[int], data: Any) -> None:
    """Also with a second operand that broadcasts, and with a use of x before the change."""
    keep = data.draw(st.integers(0, len(shape)))
    other = [data.draw(st.sampled_from([1, n])) for n in shape[keep:]]
    dtypes = data.draw(st.sampled_from([("float64", "float64"), ("float32", "float32"), ("float32", "float64")]))
    rng = np.random.default_rng(0)
    x, y = (np.asarray(rng.uniform(1, 2, s)).astype(d) for s, d in zip((shape, other), dtypes, strict=True))

    def change(m: Any, x: Any, y: Any) -> Any:
        z = x * 1
        before = z.tanh()
        after = getattr(z, f"{name}_")(y)
        assert after is z
        return z * 2 + before

    agree(change, x, y)


@pytest.mark.parametrize("name", BINARY)
def test_the_operator_is_the_method(agree: Callable[..., None], name: str) -> None:
    def change(m: Any, x: Any, y: Any) -> Any:
        z = x * 1
        assert SYMBOLS[name](z, y) is z
        return z, SYMBOLS[name](x * 1, 3)

    agree(change, np.array([[1.5, 2.0], [0.5, 1.0]]), np.array([2.0, 3.0]))


@pytest.mark.parametrize(
    "change",
    [
        "x.neg_()",
        "x.clamp_(-0.5, 0.5)",
        "x.clamp_(max=0.1)",
        "x.zero_()",
        "x.fill_(2.5)",
        "x.fill_(y[0])",
        "x.fill_(m.tensor(3))",
        "x.copy_(y)",
        "x.copy_(y[:1])",
        "x[0].copy_(y[1])",
        "x.add_(y, alpha=-2)",
        "x.sub_(2, alpha=3)",
        "x.mul_(2).add_(y).clamp_(min=0)",
        "x.t().mul_(y)",
        "x[:, 0].mul_(y)",
        "x[0, 1].mul_(y[0])",
        "x.view(4)[1:3].zero_()",
        "x[1].add_(x[0])",
        "x.add_(x)",
    ],
)
def test_other_changes_are_torchs(agree: Callable[..., None], change: str) -> None:
    def run(m: Any, x: Any, y: Any) -> Any:
        x = x.clone()
        exec(change)
        return x * 2

    agree(run, np.array([[1.5, -2.0], [0.25, 1.0]]), np.array([2.0, 3.0]))


@pytest.mark.parametrize("name", ["add", "mul", "div"])
def test_what_fits_in_place_is_torchs(torch: Any, name: str) -> None:
    """The result is cast to the dtype of x, unless that would lose its kind."""
    for a in DTYPES:
        for b in [*DTYPES, "2", "2.5", "True"]:
            outcomes = []
            for m in (tinyrnn, torch):
                x = m.ones(3, dtype=getattr(m, a))
                y = m.ones(3, dtype=getattr(m, b)) if b in DTYPES else eval(b)
                try:
                    outcomes.append(getattr(x, f"{name}_")(y).tolist())
                except (TypeError, RuntimeError):
                    outcomes.append("refused")
                assert str(x.dtype).removeprefix("torch.") == a
            assert outcomes[0] == outcomes[1], (a, b)


def test_copy_and_fill_cast_whatever_they_are_given() -> None:
    x = tinyrnn.zeros(2, dtype=tinyrnn.int64)
    assert x.copy_(tensor([2.75, -1.5])).tolist() == [2, -1]
    assert x.fill_(3.75).tolist() == [3, 3]
    assert x.copy_([5, 6]).tolist() == [5, 6]
    assert not x.copy_(tensor([1.5, 2.5], requires_grad=True)).requires_grad


def test_the_memory_stays_where_it_is() -> None:
    array = np.ones((2, 3), np.float32)
    x = tinyrnn.from_numpy(array)
    x.add_(1).mul_(tensor([1.0, 2.0, 3.0])).neg_()
    x[0].zero_()
    assert x.numpy() is array
    assert array.tolist() == [[0, 0, 0], [-2, -4, -6]]


def test_each_change_is_counted() -> None:
    x = tinyrnn.ones(2)
    for n, change in enumerate((lambda: x.add_(1), x.neg_, x.zero_, lambda: x.fill_(2), lambda: x.copy_(x)), start=1):
        change()
        assert x._version == n


UNARY = [
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "square", "tanh"),
    *("sigmoid", "logit", "erf", "relu", "abs", "absolute", "neg", "negative", "sign", "nan_to_num", "sin", "cos"),
    *("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "atanh", "arcsin", "arccos", "arctan", "arcsinh"),
    *("arctanh", "deg2rad", "rad2deg", "floor", "ceil", "trunc", "fix", "round", "frac", "logical_not"),
]
OTHERS = [
    *("x.acosh_()", "x.arccosh_()", "x.fmod_(y)", "x.remainder_(y)", "x.atan2_(y)", "x.arctan2_(y)", "x.hypot_(y)"),
    *("x.float_power_(2)", "x.subtract_(y)", "x.multiply_(2)", "x.divide_(y)", "x.true_divide_(2)"),
    *("x.addcmul_(y, y, value=2)", "x.addcdiv_(y, y)", "x.lerp_(y, 0.3)", "x.lerp_(y, y - 1)"),
    *("x.clamp_min_(1.5)", "x.clamp_max_(y)", "x.clip_(1.2, 1.8)", "x.cumsum_(0)", "x.cumprod_(-1)"),
    *("x.eq_(y)", "x.ne_(1.5)", "x.lt_(y)", "x.le_(y)", "x.gt_(y)", "x.ge_(2)", "x.less_(y)", "x.greater_(y)"),
    *("x.less_equal_(y)", "x.greater_equal_(y)", "x.not_equal_(y)", "x.div_(y, rounding_mode='floor')"),
    *("x.logical_and_(y)", "x.logical_or_(y)", "x.logical_xor_(y)", "x.round_(decimals=1)"),
]


@pytest.mark.parametrize("change", [*(f"x.{name}_()" for name in UNARY), *OTHERS])
def test_each_operation_has_its_form_in_place(agree: Callable[..., None], change: str) -> None:
    far = 1.0 if change in OTHERS else 0.0  # inside of the domain of all of them
    # where torch has no derivative, or lets the gradient pass as if nothing had happened: see the gradient cases
    valued = change.removeprefix("x.").startswith(("asinh", "acosh", "atanh", "arc", "logical"))

    def run(m: Any, x: Any, y: Any) -> Any:
        x = x.detach().clone() if valued else x.clone()
        assert eval(change) is x
        return x * 2 + 0 * y

    for dtype in ("float64",) if "float_power" in change else ("float64", "float32"):  # which torch refuses
        agree(
            run,
            np.array([[0.25, 0.5, 0.75], [0.125, 0.9, 0.3]]).astype(dtype) + far,
            np.array([1.5, 1.25, 1.125], dtype),
        )


def test_a_rounded_quotient_in_place(agree: Callable[..., None]) -> None:
    def run(m: Any, x: Any) -> Any:
        y, z = x.detach().clone(), x.detach().clone()
        y //= 2
        z %= 3
        return y, z, x.detach().clone().floor_divide_(2)

    agree(run, np.array([7.0, -5.0]))
    agree(run, np.array([7, -5]))


@pytest.mark.parametrize("symbol", ["&", "|", "^", "<<", ">>"])
def test_bits_change_in_place(agree: Callable[..., None], symbol: str) -> None:
    names = {"&": "and", "|": "or", "^": "xor", "<<": "left_shift", ">>": "right_shift"}

    def run(m: Any, x: Any, y: Any) -> Any:
        by_operator, by_method, with_number = x.clone(), x.clone(), x.clone()
        places = {"z": by_operator, "y": y}
        exec(f"z {symbol}= y", places)
        assert places["z"] is by_operator
        getattr(with_number, f"bitwise_{names[symbol]}_")(x[0, 0].item())
        return by_operator, getattr(by_method, f"bitwise_{names[symbol]}_")(y), with_number

    agree(run, np.array([[5, 6], [7, 8]]), np.array([1, 3]))
    if symbol in "&|^":
        agree(lambda m, x, y: run(m, x, y)[:2], np.array([[True, False], [True, True]]), np.array([True, False]))
    agree(lambda m, x: x.clone().bitwise_not_(), np.array([5, 6]))


CHANGES: list[tuple[str, Callable[..., Any]]] = [
    *((f"{name}_", lambda x, name=name: getattr(x, f"{name}_")(2.0)) for name in BINARY),
    *((f"{name}_", lambda x, name=name: getattr(x, f"{name}_")()) for name in ("neg", "exp", "relu", "floor", "sin")),
    ("clamp_", lambda x: x.clamp_(0, 1)),
    ("copy_", lambda x: x.copy_(tensor([1.0, 2.0]))),
    ("fill_", lambda x: x.fill_(1)),
    ("zero_", lambda x: x.zero_()),
]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_a_leaf_that_requires_a_gradient_is_refused_unless_under_no_grad(name: str, change: Callable[..., Any]) -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=rf"^{name}: a leaf that requires a gradient.*no_grad\(\).*clone\(\)"):
        change(x)
    with pytest.raises(RuntimeError, match=f"^{name}: a view of a leaf"):
        change(x[:])
    assert x.tolist() == [1, 1]
    with tinyrnn.no_grad():
        assert change(x) is x
    assert x.is_leaf
    assert x.requires_grad


@pytest.mark.parametrize(("dtype", "other"), [("float16", "float32"), ("float32", "float64")])
def test_the_gradient_of_what_was_changed_by_a_wider_tensor_keeps_its_dtype(dtype: str, other: str) -> None:
    x = tinyrnn.ones(2, dtype=dtype, requires_grad=True)
    y = x * 1
    y *= tinyrnn.full((2,), 3.0, dtype=other)
    y.retain_grad()
    y.sum().backward()
    assert y.dtype == y.grad.dtype == x.grad.dtype == dtype
    assert x.grad.tolist() == [3, 3]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_read_only_memory_is_refused(name: str, change: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match=rf"^{name}: .*read-only.*clone\(\)"):
        change(tinyrnn.ones(1).expand(2))


@pytest.mark.parametrize("name", BINARY)
def test_a_result_that_does_not_fit_is_refused_and_nothing_changes(name: str) -> None:
    x = tinyrnn.ones(2)
    with pytest.raises(ValueError, match=rf"^{name}_: the result has shape \(3, 2\), which does not fit in place into"):
        getattr(x, f"{name}_")(tinyrnn.ones(3, 2))
    with pytest.raises(ValueError, match=rf"^{name}: shapes \(2,\) and \(3,\) do not broadcast"):
        getattr(x, f"{name}_")(tinyrnn.ones(3))
    whole = tinyrnn.ones(2, dtype=tinyrnn.int64)
    with pytest.raises(
        TypeError, match=rf"^{name}_: the result is float32, which does not fit in place into.*of int64"
    ):
        getattr(whole, f"{name}_")(1.5)
    assert x.tolist() == whole.tolist() == [1, 1]
    assert x._version == whole._version == 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x: x.copy_(tinyrnn.ones(3)), ValueError, r"^copy_: shapes \(3,\) and \(2,\) do not broadcast"),
        (lambda x: x.copy_(tinyrnn.ones(1, 2)), ValueError, r"^copy_: the source has shape \(1, 2\)"),
        (
            lambda x: x[:1].copy_(x),
            ValueError,
            r"^copy_: the source has shape \(2,\), which does not fit in place into",
        ),
        (lambda x: x.copy_("a"), TypeError, "^copy_: dtype .* is not supported"),
        (lambda x: x.fill_(tinyrnn.ones(2)), ValueError, "^fill_: the value has axes, expected a number.*: use copy_"),
        (lambda x: x.fill_(None), TypeError, "^fill_: dtype object is not supported"),
        (lambda x: x.add_("a"), TypeError, "^add: cannot combine a tensor with str"),
    ],
)
def test_what_cannot_be_written_is_refused(change: Callable[..., Any], error: type[Exception], message: str) -> None:
    x = tinyrnn.ones(2)
    with pytest.raises(error, match=message):
        change(x)
    assert x.tolist() == [1, 1]


PARTS = [
    "x.scatter_(1, m.tensor([[0, 2], [1, 0]]), y[:, :2])",
    "x.scatter_(dim=1, index=m.tensor([[0], [1]]), value=1)",
    "x.scatter_add_(1, m.tensor([[0, 0], [1, 2]]), y[:, :2])",
    "x.index_add_(0, m.tensor([1, 1]), y, alpha=2)",
    "x.index_copy_(1, m.tensor([2, 0]), y[:, :2])",
    "x.index_fill_(1, m.tensor([0, 2]), 7)",
    "x.masked_fill_(x > 1, 7)",
    "x.masked_fill_(m.tensor([True, False, True]), y[0, 0])",
    "x[0].masked_fill_(x[0] > 1, 7)",
    "x.t().masked_fill_(x.t() > 1, 7)",
    "x.tril_()",
    "x.triu_(diagonal=1)",
    "x.fill_diagonal_(7)",
    "x.t().fill_diagonal_(7, wrap=True)",
    "x.addmm_(y[:, :2], y[:2], beta=0.5, alpha=2)",
    "x[0].addmv_(y.t()[:, :2], y[0, :2])",
    "x.addr_(y[:, 0], y[0])",
    "x.addbmm_(y[None, :, :2], y[None, :2])",
    "x[None].baddbmm_(y[None, :, :2], y[None, :2])",
]


@pytest.mark.parametrize("change", PARTS)
def test_a_change_of_parts_is_torchs(agree: Callable[..., None], change: str) -> None:
    def run(m: Any, x: Any, y: Any) -> Any:
        x = x * 1
        before = x.tanh()
        after = eval(change)
        assert after.data_ptr() >= x.data_ptr() if m is not tinyrnn else np.shares_memory(after.array, x.array)
        return x * 2 + before

    agree(run, np.array([[1.5, -2.0, 0.25], [0.5, 1.0, 3.0]]), np.array([[2.0, 3.0, 5.0], [-1.0, 0.5, 4.0]]))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 2), (7, 2), (2, 2, 2), (0, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_a_diagonal_is_numpys_and_torchs(torch: Any, shape: tuple[int, ...], wrap: bool) -> None:
    x, y = tinyrnn.zeros(shape), np.zeros(shape, np.float32)
    assert x.fill_diagonal_(3, wrap) is x
    np.testing.assert_array_equal(x.numpy(), torch.zeros(shape).fill_diagonal_(3, wrap).numpy())
    if 0 not in shape:
        np.fill_diagonal(y, 3, wrap)
        np.testing.assert_array_equal(x.numpy(), y)


def test_the_usual_one_hot() -> None:
    assert tinyrnn.zeros(2, 3).scatter_(1, tensor([[2], [0]]), 1).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x: x.masked_fill_(tinyrnn.ones(3, 2, 2) > 0, 1), ValueError, "^masked_fill_: the result has shape"),
        (lambda x: x.masked_fill_(x, 1), TypeError, "^masked_fill: the mask is float32"),
        (lambda x: x.scatter_(1, tensor([[5]]), 1), IndexError, "^scatter: index 5"),
        (lambda x: x.addmm_(x.double(), x.double()), TypeError, "^addmm: the operands are"),
        (lambda x: x[0].fill_diagonal_(1), ValueError, r"^fill_diagonal_: got shape \(2,\), expected a matrix"),
        (lambda x: x.expand(3, 2, 2).fill_diagonal_(1), ValueError, "^fill_diagonal_: got shape"),
        (lambda x: x.expand(2, 2, 2).tril_(), RuntimeError, "^tril_: .*read-only"),
        (
            lambda x: x.requires_grad_().index_fill_(0, tensor([0]), 1),
            RuntimeError,
            "^index_fill_: a leaf that requires",
        ),
        (lambda x: x.requires_grad_().fill_diagonal_(1), RuntimeError, "a leaf that requires a gradient"),
    ],
)
def test_parts_that_cannot_be_written(change: Callable[..., Any], error: type[Exception], message: str) -> None:
    x = tinyrnn.ones(2, 2)
    with pytest.raises(error, match=message):
        change(x)
    assert x.tolist() == [[1, 1], [1, 1]]
    assert x._version == 0


def test_a_name_says_what_it_changes() -> None:
    from tinyrnn.ops import inplace

    for name in [name for name, _ in CHANGES] + [change.split("_(")[0].split(".")[-1] + "_" for change in PARTS]:
        op = getattr(inplace, name)
        assert op.__name__ == op.__qualname__ == name
        assert op.__doc__
