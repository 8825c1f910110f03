"""ops/queries.py: what a tensor says of itself carries no gradient."""

from __future__ import annotations

NO_GRADIENT = {
    f"queries.{name}"
    for name in (
        "numel", "is_floating_point", "is_complex", "is_nonzero", "is_same_size", "dim", "size",
        "stride", "element_size", "data_ptr", "get_device",
    )
}  # fmt: skip
