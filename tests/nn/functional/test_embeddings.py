"""embedding: rows of a table, their gradient, and its options."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional


def table(V=7, D=3, dtype=tinyrnn.float64):
    return tinyrnn.randn(V, D, dtype=dtype, requires_grad=True)


@given(st.lists(st.integers(0, 6), max_size=40), st.none() | st.integers(-7, 6), st.booleans())
def test_the_gradient_of_a_row_is_the_sum_over_its_places(indices, padding_idx, by_freq):
    W, g = table(), np.random.default_rng(0).standard_normal((len(indices), 3))
    y = functional.embedding(tinyrnn.tensor(indices, dtype=tinyrnn.int64), W, padding_idx, None, 2.0, by_freq)
    assert np.array_equal(y.array, W.array[indices].reshape(-1, 3))
    y.backward(tinyrnn.tensor(g))
    expected = np.zeros((7, 3))
    for k, row in zip(indices, g, strict=True):
        expected[k] += row / (indices.count(k) if by_freq else 1)
    if padding_idx is not None:
        expected[padding_idx] = 0
    np.testing.assert_allclose(W.grad.array, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (2, 3, 2), (0,)])
def test_gradcheck(shape):
    index = tinyrnn.randint(0, 7, shape)
    assert functional.embedding(index, table()).shape == (*shape, 3)
    assert gradcheck(lambda W: functional.embedding(index, W * W), [table()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"padding_idx": 2}, {"padding_idx": -3}, {"scale_grad_by_freq": True}, {"padding_idx": 0, "max_norm": None}],
)
def test_against_torch(agree, arguments, dtype):
    rng = np.random.default_rng(0)
    W = rng.standard_normal((7, 3)).astype(dtype)
    for shape in [(), (5,), (40, 3), (2, 0)]:
        index = rng.integers(0, 7, shape)
        agree(lambda m, W, index=index: m.nn.functional.embedding(m.tensor(index), W, **arguments), W)
        agree(lambda m, index, W: m.nn.functional.embedding(index, W, **arguments), index.astype(np.int32), W)


@pytest.mark.parametrize("p", [2.0, 1.0, 3.5])
def test_max_norm_scales_the_rows_that_are_used_in_place(torch, p):
    W = np.random.default_rng(0).standard_normal((7, 3)) * 2
    index = [1, 4, 4, 0]
    ours, theirs = tinyrnn.tensor(W), torch.tensor(W)
    y = functional.embedding(tinyrnn.tensor(index), ours, max_norm=1.5, norm_type=p)
    z = torch.nn.functional.embedding(torch.tensor(index), theirs, max_norm=1.5, norm_type=p)
    np.testing.assert_allclose(ours.array, theirs.numpy(), rtol=1e-14)
    np.testing.assert_allclose(y.array, z.numpy(), rtol=1e-14)


def test_max_norm_without_torch():
    W = tinyrnn.tensor([[3.0, 4.0], [0.3, 0.4], [30.0, 40.0]], requires_grad=True)
    loss = (W * W).sum()
    y = functional.embedding(tinyrnn.tensor([0, 1, 0]), W, max_norm=1.0)
    np.testing.assert_allclose(y.detach().array, [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(W.detach().array, [[0.6, 0.8], [0.3, 0.4], [30, 40]], rtol=1e-6)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_the_gradient_is_that_of_the_indices_as_they_were():
    W, index = table(), tinyrnn.tensor([1, 2])
    y = functional.embedding(index, W)
    index.fill_(0)
    y.sum().backward()
    assert W.grad.array.sum(1).tolist() == [0, 3, 3, 0, 0, 0, 0]


def test_a_row_at_each_step_adds_up():
    W = table()
    y = [functional.embedding(tinyrnn.tensor(k), W) for k in (1, 1, 3)]
    (y[0] + y[1] + y[2]).sum().backward()
    assert W.grad.array[:, 0].tolist() == [0, 2, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("index", "options", "exception", "message"),
    [
        ([0, 7], {}, IndexError, "embedding: the indices go from 0 to 7, expected 0 to 6"),
        ([-1, 2], {}, IndexError, "embedding: the indices go from -1 to 2, expected 0 to 6"),
        (
            [0.0],
            {},
            TypeError,
            "embedding: the indices are float32, expected whole numbers, int64 or int32: .long() them",
        ),
        ([True], {}, TypeError, "embedding: the indices are bool"),
        ([0], {"padding_idx": 7}, ValueError, "embedding: padding_idx is 7, expected -7 to 6"),
        ([0], {"sparse": True}, ValueError, "embedding: sparse=True is not here"),
        ([0], {"max_norm": "1a"}, TypeError, "embedding: max_norm is '1a', expected a number"),
    ],
)
def test_what_does_not_fit_is_refused(index, options, exception, message):
    W = table()
    before = W.tolist()
    with pytest.raises(exception, match=re.escape(message)):
        functional.embedding(tinyrnn.tensor(index), W, **options)
    assert W.tolist() == before


def test_the_weight_is_a_matrix():
    with pytest.raises(ValueError, match=re.escape("embedding: the weight is (3,), expected (V, D)")):
        functional.embedding(tinyrnn.tensor([0]), tinyrnn.zeros(3))
    with pytest.raises(TypeError, match="embedding: expected a tensor, got list"):
        functional.embedding([0], tinyrnn.zeros(3, 2))


def test_a_product_with_one_hot_rows_is_the_same():
    W, index = table(), tinyrnn.tensor([3, 0, 3])
    rows = functional.one_hot(index, 7)
    assert rows.tolist() == [[int(k == n) for n in range(7)] for k in (3, 0, 3)]
    assert np.array_equal((rows.double() @ W).array, functional.embedding(index, W).array)
