"""Likeness, distance and the losses on them: torch's numbers, the difference quotient, and what bad input gets."""

import re

import numpy as np
import pytest

import tinyrnn
from loss_witness import REDUCTIONS, agree, leaf
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional


def arrays(*shapes, dtype="float64"):
    rng = np.random.default_rng(1)
    return [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in shapes]


def signs(*shape, dtype="float64"):
    return np.random.default_rng(2).choice([-1, 1], shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cosine_similarity_is_torchs(torch, dtype):
    def cosine(m, x, y, **options):
        return m.nn.functional.cosine_similarity(x, y, **options)

    for shape, dim in (((4, 3), 1), ((4, 3), 0), ((4, 3), -2), ((5,), 0), ((2, 3, 4), 1), ((0, 3), 1), ((3, 0), 1)):
        agree(torch, lambda m, x, y, d=dim: cosine(m, x, y, dim=d), *arrays(shape, shape, dtype=dtype), of=(0, 1))
    agree(torch, cosine, *arrays((4, 3), (3,), dtype=dtype), of=(0, 1))
    agree(torch, lambda m, x, y: cosine(m, x, y, axis=0), *arrays((4, 3), (4, 3), dtype=dtype), of=(0, 1))
    x, y = arrays((4, 3), (4, 3), dtype=dtype)
    agree(torch, cosine, x * 0, y, of=(0, 1))
    agree(torch, cosine, x, y.astype("float32"), of=(0, 1))
    agree(torch, lambda m, x, y: cosine(m, x, y, eps=5.0).detach().requires_grad_(), x, y, of=())


@pytest.mark.parametrize("eps", [1e-8, 1.5])
def test_gradcheck_of_cosine_similarity(eps):
    x, y = leaf(6, 3), leaf(6, 3)
    assert gradcheck(lambda x, y: functional.cosine_similarity(x, y, eps=eps), [x, y])
    expected = (x.array * y.array).sum(1) / np.prod(
        [np.maximum(np.linalg.norm(a, axis=1), eps) for a in (x.array, y.array)], 0
    )
    np.testing.assert_allclose(functional.cosine_similarity(x, y, eps=eps).array, expected, rtol=1e-12)


@pytest.mark.parametrize("p", [0.7, 1, 2, 3.5])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance_is_torchs_and_its_formula(torch, p, keepdim):
    def distance(m, x, y):
        return m.nn.functional.pairwise_distance(x, y, p, keepdim=keepdim)

    for dtype in ("float64", "float32"):
        for shapes in (
            ((4, 3), (4, 3)),
            ((4, 3), (3,)),
            ((3,), (3,)),
            ((2, 3, 4), (2, 1, 4)),
            ((0, 3), (0, 3)),
            ((), ()),
        ):
            agree(torch, distance, *arrays(*shapes, dtype=dtype), of=(0, 1))
    x, y = leaf(4, 3), leaf(4, 3)
    assert gradcheck(lambda x, y: functional.pairwise_distance(x, y, p, keepdim=keepdim), [x, y])
    expected = (np.abs(x.array - y.array + 1e-6) ** p).sum(1, keepdims=keepdim) ** (1 / p)
    np.testing.assert_allclose(functional.pairwise_distance(x, y, p, keepdim=keepdim).array, expected, rtol=1e-12)


def test_a_distance_of_0_has_a_gradient_of_0_and_large_ones_do_not_overflow():
    x = tinyrnn.tensor([[1.0, 2.0], [3e30, 4e30]], requires_grad=True)
    y = tinyrnn.tensor([[1.0, 2.0], [0.0, 0.0]])
    for p in (1, 2, 3):
        distance = functional.pairwise_distance(x, y, p, eps=0)
        (dx,) = tinyrnn.autograd.grad(distance, x, tinyrnn.ones(2))
        assert dx.array[0].tolist() == [0, 0]
        assert np.isfinite(distance.array).all()
        assert np.isfinite(dx.array).all()


LOSSES = {
    "cosine_embedding_loss": (((4, 3), (4, 3)), (4,), {"margin": 0.2}),
    "margin_ranking_loss": (((4, 3), (4, 3)), (4, 3), {"margin": 0.3}),
    "hinge_embedding_loss": (((4, 3),), (4, 3), {"margin": 0.8}),
    "soft_margin_loss": (((4, 3),), (4, 3), {}),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_the_losses_are_torchs(torch, name, reduction):
    shapes, target, options = LOSSES[name]
    of = range(len(shapes))

    def loss(m, *tensors, **more):
        return getattr(m.nn.functional, name)(*tensors, reduction=reduction, **more)

    for dtype in ("float64", "float32"):
        agree(torch, loss, *arrays(*shapes, dtype=dtype), signs(*target, dtype=dtype), of=of)
        agree(torch, lambda m, *t: loss(m, *t, **options), *arrays(*shapes, dtype=dtype), signs(*target), of=of)
        agree(torch, loss, *arrays(*shapes, dtype=dtype), signs(*target, dtype="int64"), of=of)
        agree(torch, loss, *(a[:0] for a in arrays(*shapes, dtype=dtype)), signs(*target, dtype=dtype)[:0], of=of)
    agree(torch, loss, *arrays(*shapes), np.zeros(target), of=of)  # neither 1 nor -1


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck_of_the_losses(name, reduction):
    shapes, target, options = LOSSES[name]
    y = tinyrnn.tensor(signs(*target))
    loss = getattr(functional, name)
    assert gradcheck(lambda *xs: loss(*xs, y, reduction=reduction, **options), [leaf(*shape) for shape in shapes])


def test_single_vectors_and_numbers(torch):
    def embedding(m, x, y, t):
        return m.nn.functional.cosine_embedding_loss(x, y, t)

    agree(torch, embedding, *arrays((3,), (3,)), np.array(1.0), of=(0, 1))
    agree(torch, lambda m, x, y, t: m.nn.functional.margin_ranking_loss(x, y, t), *arrays((), (), ()), of=(0, 1, 2))
    agree(torch, lambda m, x, y: m.nn.functional.soft_margin_loss(x, y), *arrays((), ()))
    agree(torch, lambda m, x, y: m.nn.functional.hinge_embedding_loss(x, y), arrays(())[0], np.array(-1.0))


def test_the_target_of_soft_margin_loss_has_a_gradient():
    assert gradcheck(functional.soft_margin_loss, [leaf(4, 3), leaf(3)])  # torch has none


def test_soft_margin_loss_does_not_overflow():
    x = tinyrnn.tensor([-1000.0, 1000.0], requires_grad=True)
    losses = functional.soft_margin_loss(x, tinyrnn.ones(2), reduction="none")
    losses.backward(tinyrnn.ones(2))
    assert (losses.tolist(), x.grad.tolist()) == ([1000, 0], [-1, 0])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", [{}, {"swap": True}, {"p": 1, "margin": 0.5}, {"p": 3.0, "eps": 0.1}])
def test_triplet_margin_loss_is_torchs_and_passes_gradcheck(torch, reduction, options):
    def loss(m, a, p, n):
        return m.nn.functional.triplet_margin_loss(a, p, n, reduction=reduction, **options)

    for shapes in (((6, 3),) * 3, ((3,),) * 3, ((6, 3), (1, 3), (6, 3)), ((0, 3),) * 3):
        for dtype in ("float64", "float32"):
            agree(torch, loss, *arrays(*shapes, dtype=dtype), of=(0, 1, 2))
    assert gradcheck(lambda *xs: loss(tinyrnn, *xs), [leaf(6, 3), leaf(6, 3), leaf(6, 3)])


X = tinyrnn.zeros(4, 3)


@pytest.mark.parametrize(
    ("name", "arguments", "exception", "message"),
    [
        ("cosine_similarity", (X, X, 2), IndexError, "dim 2 is out of range for a tensor of 2 axes"),
        ("cosine_similarity", (X, X[:2]), ValueError, "shapes (4, 3) and (2, 3) do not broadcast"),
        ("cosine_similarity", (X, X, 1, -1.0), ValueError, "eps is -1.0, expected at least 0"),
        ("cosine_similarity", (X.long(), X.long()), TypeError, "the input is int64, expected a floating dtype"),
        ("cosine_similarity", (X, 1.0), TypeError, "expected a tensor, got float"),
        ("pairwise_distance", (X, X, 0), ValueError, "p is 0, expected a finite number above 0"),
        ("pairwise_distance", (X, X, float("inf")), ValueError, "p is inf, expected a finite number above 0"),
        ("cosine_embedding_loss", (X, X, X[0]), ValueError, "the inputs are (4, 3) and (4, 3), the target (3,), expec"),
        ("cosine_embedding_loss", (X[0], X[0], X[0, :1]), ValueError, "the inputs are (3,) and (3,), the target (1,)"),
        ("cosine_embedding_loss", (X[None], X[None], X[:, 0]), ValueError, "the inputs are (1, 4, 3) and (1, 4, 3)"),
        ("margin_ranking_loss", (X, X, X[0]), ValueError, "the inputs are (4, 3) and (4, 3), the target (3,), expecte"),
        ("hinge_embedding_loss", (X.long(), X), TypeError, "the input is int64, expected a floating dtype"),
        ("soft_margin_loss", (X, X[:2]), ValueError, "shapes (4, 3) and (2, 3) do not broadcast"),
        ("triplet_margin_loss", (X, X, X[0]), ValueError, "the three are (4, 3), (4, 3), (3,), expected as many axes"),
        ("triplet_margin_loss", (X, X, X, 0), ValueError, "the margin is 0, expected more than 0"),
        ("hinge_embedding_loss", (X, X, 1.0, None, None, "max"), ValueError, "the reduction is 'max', expected 'mean'"),
    ],
)
def test_what_does_not_fit_is_refused(name, arguments, exception, message):
    with pytest.raises(exception, match=re.escape(f"{name}: {message}")):
        getattr(functional, name)(*arguments)
