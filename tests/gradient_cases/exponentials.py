"""Cases of gradient checks for ops/exponentials.py."""

from __future__ import annotations

from gradient_cases.base import Case, one
from tinyrnn.ops import exponentials

CASES: dict[str, list[Case]] = {
    "exponentials.softmax": [
        *one(lambda x: exponentials.softmax(x, -1)),
        (lambda x: exponentials.softmax(x, 0), [(3,), (2, 3), (2, 0, 3)]),
    ],
    "exponentials.log_softmax": [
        *one(lambda x: exponentials.log_softmax(x, -1)),
        (lambda x: exponentials.log_softmax(x, 0), [(3,), (2, 3), (2, 0, 3)]),
    ],
    "exponentials.logsumexp": [
        (lambda x: exponentials.logsumexp(x, -1), [(), (3,), (2, 3), (2, 0, 3)]),
        (lambda x: exponentials.logsumexp(x, (0, -1), keepdim=True), [(2, 1, 3), (2, 3)]),
    ],
}
