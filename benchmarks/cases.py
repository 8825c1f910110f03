"""The rows of the table: what is timed beside which peer, and the ratio (the peer's time over ours) it has to reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import by_hand
import parts
import training
import with_jax
from work import Work

Make = Callable[[Any, str], Work]  # (lib, dtype): lib is the module of the library that does it
BOTH = ("float32", "float64")
BATCHED = "LSTM layer, batch 50-64"


@dataclass(frozen=True)
class Case:
    """One piece of work, with its peers: the first of them is who the ratio is to."""

    line: str  # of the table of what has to hold
    name: str
    make: Make
    peers: dict[str, Make] = field(default_factory=dict)  # torch's, with the same `make`, where none is given
    targets: dict[str, float] = field(default_factory=dict)  # dtype: ratio
    dtypes: tuple[str, ...] = BOTH
    full: bool = False  # not in the quick mode
    layer: tuple[str, int, int, int, int] | None = None  # kind, T, N, I, H: the floor of these is known
    avx512: bool = False  # timed on OpenBLAS's AVX-512 kernels too, where it does not choose them

    @property
    def everyone(self) -> dict[str, Make]:
        """Who does it: tinyrnn, and the peers."""
        return {"tinyrnn": self.make} | (self.peers or {"torch": self.make})


def both(single: float | None, double: float | None) -> dict[str, float]:
    return {dtype: goal for dtype, goal in zip(BOTH, (single, double), strict=True) if goal is not None}


def steps() -> list[Case]:
    """The training steps."""
    small, six = "small training steps", both(6, 6)

    def case(line: str, name: str, make: Make, targets: dict[str, float], **options: Any) -> Case:
        jax = {"jax": getattr(with_jax, make.__name__)} if hasattr(with_jax, make.__name__) else {}
        return Case(line, name, make, {"torch": make} | jax, targets, **options)

    numpy, two = "programs by hand in NumPy", both(None, 2)
    return [
        case(small, "sine step: RNN 16, T 49, Adam", training.sine, six),
        case(small, "sin-to-cos step: RNN 32, T 10, SGD", training.sin_to_cos, six),
        Case(small, "sin-to-cos step, ten calls of its linear layer", partial(training.sin_to_cos, at_once=False)),
        case(small, "names step: RNN 50, T 12, clipping, SGD", training.names, six),
        case(
            "encoder-decoder step",
            "encoder-decoder step: RNN 128, T 6, batch 3, Adam",
            training.encoder_decoder,
            both(2, None),
        ),
        case(
            "character model",
            "character model: LSTM 128 x 2, T 50, batch 50, clipping, Adam",
            training.characters,
            both(1, 1.3),
            avx512=True,
        ),
        Case(numpy, "names step, by hand in NumPy", training.names, {"numpy": by_hand.names}, two, ("float64",)),
        Case(
            numpy,
            "binary addition step, by hand in NumPy",
            training.binary_addition,
            {"numpy": by_hand.binary_addition},
            two,
            ("float64",),
        ),
    ]


def layers() -> list[Case]:
    """Forward and backward of the layers, at batch 1 and in batches."""
    made = []
    small = [(10, 1, 27, 50), (49, 1, 1, 16), (100, 1, 27, 50), (10, 1, 1, 16), (49, 1, 27, 50), (100, 1, 1, 16)]
    large = [(50, 50, 65, 128), (100, 64, 128, 256)]
    goals = {
        "RNN": (both(8, 8), both(1.5, 1.5)),
        "GRU": (both(6, 6), both(1.5, 1.5)),
        "LSTM": (both(1.2, 5), both(1, 1.5)),
    }
    for kind, targets in goals.items():
        for batch, shapes, goal in zip(("1", "50-64"), (small, large), targets, strict=True):
            for shape in shapes:
                T, N, I, H = shape
                make = partial(parts.layer, kind=kind, T=T, N=N, I=I, H=H)
                jax = partial(with_jax.layer, kind=kind, T=T, N=N, I=I, H=H)
                name = f"{kind} T {T}, batch {N}, {I} to {H}"
                peers, line = {"torch": make, "jax": jax}, f"{kind} layer, batch {batch}"
                made.append(
                    Case(
                        line,
                        name,
                        make,
                        peers,
                        goal,
                        full=shape in small[3:],
                        layer=(kind, *shape),
                        avx512=line == BATCHED,
                    )
                )
    return made


def smaller() -> list[Case]:
    """Cells, the tape, optimizers, and what is not recorded."""
    made = []
    for kind in ("RNNCell", "GRUCell", "LSTMCell"):
        for N, H in ((1, 16), (16, 32)):
            make = partial(parts.cell, kind=kind, T=20, N=N, I=8, H=H)
            name = f"{kind} in a loop, T 20, batch {N}, 8 to {H}"
            made.append(Case("cells in a loop", name, make, targets=both(1.5, 1.5), full=N > 1))
    made.append(Case("chain of small ops", "chain of 400 ops on 4 elements", parts.chain, targets=both(1.5, None)))
    for name, kind, options in (
        ("Adam", "Adam", {"lr": 0.01}),
        ("SGD, momentum", "SGD", {"lr": 0.01, "momentum": 0.9}),
    ):
        make = partial(parts.optimizer, kind=kind, **options)
        made.append(Case("optimizer's step", f"{name}: a step of 100 small parameters", make, targets=both(1, 1)))
    for kind in ("RNN", "LSTM"):
        shape = {"kind": kind, "T": 100, "N": 1, "I": 27, "H": 50}
        make, recording = partial(parts.forward, **shape), partial(parts.forward, recording=True, **shape)
        made += [
            Case("forward under no_grad", f"{kind} forward under no_grad, T 100, batch 1", make),
            Case(
                "forward under no_grad",
                f"{kind} forward, no_grad to recording",
                make,
                {"recording": recording},
                both(1, 1),
            ),
        ]
    return made


CASES = [*steps(), *layers(), *smaller()]
