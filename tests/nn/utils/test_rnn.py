"""Padding and packing: round trips, orders, gradients, torch's values, and lengths that do not fit."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn.utils import rnn


def sequences(lengths: list[int], *rest: int, requires_grad: bool = False) -> list[tinyrnn.Tensor]:
    rng = np.random.default_rng(len(lengths))
    return [tinyrnn.tensor(rng.standard_normal((n, *rest)), requires_grad=requires_grad) for n in lengths]


def test_the_drawing_of_the_file() -> None:
    a_b_c, d_e, f = tinyrnn.tensor([1, 2, 3]), tinyrnn.tensor([4, 5]), tinyrnn.tensor([6])
    packed = rnn.pack_sequence([a_b_c, d_e, f])
    assert packed.data.tolist() == [1, 4, 6, 2, 5, 3]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices is None
    assert rnn.pad_sequence([a_b_c, d_e, f]).tolist() == [[1, 4, 6], [2, 5, 0], [3, 0, 0]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.booleans(), st.integers(0, 2))
def test_packing_and_back_is_the_same(lengths: list[int], batch_first: bool, axes: int) -> None:
    xs = sequences(lengths, *(2, 3)[:axes])
    padded = rnn.pad_sequence(xs, batch_first, padding_value=-7.0)
    packed = rnn.pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
    again, found = rnn.pad_packed_sequence(packed, batch_first, padding_value=-7.0)
    np.testing.assert_array_equal(again.array, padded.array)
    assert found.tolist() == lengths
    assert found.dtype == tinyrnn.int64
    for parts in (rnn.unpad_sequence(padded, lengths, batch_first), rnn.unpack_sequence(packed)):
        for part, x in zip(parts, xs, strict=True):
            np.testing.assert_array_equal(part.array, x.array)
    turned = rnn.unpack_sequence(rnn.backwards(packed))
    for part, x in zip(turned, xs, strict=True):
        np.testing.assert_array_equal(part.array, x.array[::-1])


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), batch_first=st.booleans(), left=st.booleans())
def test_all_is_as_torchs(torch: ModuleType, lengths: list[int], batch_first: bool, left: bool) -> None:
    xs = sequences(lengths, 2)
    side = "left" if left else "right"
    results = []
    for module, utils in ((tinyrnn, rnn), (torch, torch.nn.utils.rnn)):
        given = [module.tensor(x.array) for x in xs]
        padded = utils.pad_sequence(given, batch_first, 0.5, side)
        packed = utils.pack_padded_sequence(padded, module.tensor(lengths), batch_first, False)
        direct = utils.pack_sequence(given, enforce_sorted=False)
        again, found = utils.pad_packed_sequence(packed, batch_first, total_length=8)
        unpadded = utils.unpad_sequence(padded + 0, found, batch_first)  # + 0: torch transposes its argument in place
        results.append([padded, *packed, direct.data, again, found, *unpadded])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        assert f"torch.{ours.dtype}" == str(theirs.dtype)


@pytest.mark.parametrize("batch_first", [False, True])
def test_gradients_go_through(batch_first: bool) -> None:
    lengths = [2, 4, 1]
    xs = sequences(lengths, 2, requires_grad=True)
    for side in ("right", "left"):
        assert gradcheck(lambda *xs, side=side: rnn.pad_sequence(xs, batch_first, padding_side=side), xs)
    padded = rnn.pad_sequence([x.detach() for x in xs], batch_first).requires_grad_()

    def there_and_back(x: Any) -> Any:
        packed = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        return packed.data, rnn.pad_packed_sequence(rnn.backwards(packed), batch_first, total_length=5)[0]

    assert gradcheck(there_and_back, [padded])


def test_a_packed_sequence_follows_casts() -> None:
    packed = rnn.pack_sequence(sequences([3, 1], 2))
    assert packed.float().data.dtype == tinyrnn.float32
    assert packed.float().double().data.dtype == tinyrnn.float64
    assert packed.to(tinyrnn.float16).data.dtype == tinyrnn.float16
    assert packed.to("cpu").data is packed.data
    assert packed.cpu() is packed
    assert not packed.is_cuda


def test_a_permutation_is_inverted() -> None:
    p = tinyrnn.tensor([2, 0, 3, 1])
    q = rnn.invert_permutation(p)
    assert q is not None
    assert q[p].tolist() == [0, 1, 2, 3]
    assert rnn.invert_permutation(None) is None


X = tinyrnn.zeros(4, 3, 2)


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: rnn.pack_padded_sequence(X, [1, 2, 4]), ValueError, "expected them to fall, the longest first"),
        (lambda: rnn.pack_padded_sequence(X, [4, 2]), ValueError, "shape (2,), expected (3,)"),
        (lambda: rnn.pack_padded_sequence(X, [4, 2, 0]), ValueError, "each from 1 to 4"),
        (lambda: rnn.pack_padded_sequence(X, [5, 2, 1]), ValueError, "each from 1 to 4"),
        (lambda: rnn.pack_padded_sequence(X, [4.0, 2.5, 1.0]), TypeError, "float64, expected whole numbers"),
        (lambda: rnn.pack_padded_sequence(tinyrnn.zeros(4), [4]), ValueError, "expected (T, N, ...)"),
        (lambda: rnn.pack_padded_sequence([[1]], [1]), TypeError, "pack_padded_sequence: expected a tensor"),
        (lambda: rnn.pack_padded_sequence(tinyrnn.zeros(4, 0, 2), []), TypeError, "expected whole numbers"),
        (lambda: rnn.pad_packed_sequence(X), TypeError, "expected a PackedSequence"),
        (
            lambda: rnn.pad_packed_sequence(rnn.pack_sequence([X]), total_length=3),
            ValueError,
            "total_length is 3, expected at least 4",
        ),
        (lambda: rnn.pad_sequence([]), ValueError, "there are no sequences"),
        (lambda: rnn.pad_sequence([X, X[:, :2]]), ValueError, "sequences[1] has shape (4, 2, 2)"),
        (lambda: rnn.pad_sequence([X, 1]), TypeError, "sequences[1]: expected a tensor"),
        (lambda: rnn.pad_sequence([X], padding_side="up"), ValueError, "padding_side is 'up'"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("lengths", [[4.0, 2.0, 1.0], tinyrnn.tensor([[1.0] * 4, [1, 1, 0, 0], [1, 0, 0, 0]]).sum(1)])
def test_lengths_may_be_whole_numbers_of_a_floating_dtype(lengths):
    packed = rnn.pack_padded_sequence(X, lengths)
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1]
    assert rnn.pad_packed_sequence(packed)[1].tolist() == [4, 2, 1]
    assert [len(x) for x in rnn.unpad_sequence(X, lengths)] == [4, 2, 1]


@pytest.mark.parametrize(("length", "exception"), [("nan", TypeError), ("inf", ValueError), ("-inf", ValueError)])
def test_lengths_that_are_no_numbers_are_refused(length, exception):
    with pytest.raises(exception, match="pack_padded_sequence: the lengths are"):
        rnn.pack_padded_sequence(X, [4, float(length), 1])
