"""ops/logic.py carries no gradients."""

from __future__ import annotations

NO_GRADIENT = {
    f"logic.{name}"
    for name in (
        *("logical_and", "logical_or", "logical_xor", "logical_not", "any", "all", "count_nonzero"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"),
        *("bitwise_left_shift", "bitwise_right_shift", "rleft_shift", "rright_shift"),
    )
}
