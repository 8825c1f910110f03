"""Cases of gradient checks for ops/inplace.py."""

from __future__ import annotations

from typing import Any

from gradient_cases.base import Case, clone_then, in_place, positive
from tinyrnn import Tensor, tensor
from tinyrnn.ops import inplace

INDEX = tensor([[1, 0]])


def prepared(name: str, x: Tensor) -> Any:
    """x changed, in place, so that it lies where the operation is smooth."""
    if name in ("log_", "log1p_", "log2_", "log10_", "sqrt_", "rsqrt_", "reciprocal_", "float_power_"):
        return x.square_().add_(0.5)
    if name == "acosh_":
        return x.square_().add_(1.5)
    if name in ("asin_", "acos_", "atanh_"):
        return x.tanh_()
    return x.sigmoid_() if name == "logit_" else x


def alone(name: str) -> list[Case]:
    return in_place(lambda x, y: getattr(inplace, name)(prepared(name, x)).mul_(y))


def beside(name: str) -> list[Case]:
    return in_place(lambda x, y: getattr(inplace, name)(prepared(name, x), positive(y)))


ALONE = [
    *("exp_", "exp2_", "expm1_", "log_", "log1p_", "log2_", "log10_", "sqrt_", "rsqrt_", "reciprocal_", "square_"),
    *("tanh_", "sigmoid_", "logit_", "erf_", "relu_", "abs_", "neg_", "sign_", "sgn_", "nan_to_num_"),
    *("sin_", "cos_", "tan_", "asin_", "acos_", "atan_", "sinh_", "cosh_", "asinh_", "acosh_", "atanh_"),
    *("deg2rad_", "rad2deg_", "floor_", "ceil_", "trunc_", "round_", "frac_", "logical_not_"),
]
BESIDE = [
    *("add_", "sub_", "mul_", "div_", "floor_divide_", "remainder_", "fmod_", "float_power_", "atan2_", "hypot_"),
    *("clamp_min_", "clamp_max_", "eq_", "ne_", "lt_", "le_", "gt_", "ge_", "logical_and_", "logical_or_"),
    "logical_xor_",
]

CASES: dict[str, list[Case]] = {
    **{f"inplace.{name}": alone(name) for name in ALONE},
    **{f"inplace.{name}": beside(name) for name in BESIDE},
    "inplace.pow_": in_place(lambda x, y: inplace.pow_(x, 3)) + in_place(lambda x, y: inplace.pow_(x, 1).mul_(y)),
    "inplace.addcmul_": in_place(lambda x, y: inplace.addcmul_(x, y, y, value=-2)),
    "inplace.addcdiv_": in_place(lambda x, y: inplace.addcdiv_(x, y, positive(y))),
    "inplace.lerp_": in_place(lambda x, y: inplace.lerp_(x, y, 0.3)),
    "inplace.clamp_": in_place(lambda x, y: inplace.clamp_(x, -0.5, 0.5)),
    "inplace.cumsum_": in_place(lambda x, y: inplace.cumsum_(x, -1)),
    "inplace.cumprod_": in_place(lambda x, y: inplace.cumprod_(x, 0)),
    "inplace.scatter_": [(clone_then(lambda x, y: inplace.scatter_(x, 1, INDEX, y)), [((2, 3), (1, 2))])],
    "inplace.scatter_add_": [(clone_then(lambda x, y: inplace.scatter_add_(x, 1, INDEX, y)), [((2, 3), (1, 2))])],
    "inplace.index_add_": [
        (clone_then(lambda x, y: inplace.index_add_(x, 0, INDEX[0], y)), [((2, 3), (2, 3)), ((2,), (2,))])
    ],
    "inplace.index_copy_": [
        (clone_then(lambda x, y: inplace.index_copy_(x, 0, INDEX[0], y)), [((2, 3), (2, 3)), ((2,), (2,))])
    ],
    "inplace.index_fill_": [
        (clone_then(lambda x, y: inplace.index_fill_(x, -1, INDEX[0], y)), [((2, 3), ()), ((2,), ())])
    ],
    "inplace.masked_fill_": in_place(lambda x, y: inplace.masked_fill_(x, x > 0, y.sum())),
    "inplace.tril_": [(clone_then(inplace.tril_), [(2, 3), (2, 3, 3)])],
    "inplace.triu_": [(clone_then(lambda x: inplace.triu_(x, 1)), [(2, 3), (2, 3, 3)])],
    "inplace.fill_diagonal_": [
        (clone_then(lambda x: inplace.fill_diagonal_(x, 5, wrap=True)), [(2, 3), (5, 2), (2, 2, 2)])
    ],
    "inplace.addmm_": [(clone_then(inplace.addmm_), [((2, 4), (2, 3), (3, 4))])],
    "inplace.addmv_": [(clone_then(inplace.addmv_), [((2,), (2, 3), (3,))])],
    "inplace.addr_": [(clone_then(inplace.addr_), [((2, 3), (2,), (3,))])],
    "inplace.addbmm_": [(clone_then(inplace.addbmm_), [((2, 4), (2, 2, 3), (2, 3, 4))])],
    "inplace.baddbmm_": [(clone_then(inplace.baddbmm_), [((2, 2, 4), (2, 2, 3), (2, 3, 4))])],
    "inplace.copy_": in_place(inplace.copy_),
    "inplace.fill_": in_place(lambda x, y: inplace.fill_(x, y.sum())),
    "inplace.zero_": in_place(lambda x, y: inplace.zero_(x).add_(y)),
}

NO_GRADIENT = {
    f"inplace.bitwise_{name}_" for name in ("and", "or", "xor", "not", "left_shift", "right_shift")
}  # of whole numbers
