"""Filling tensors: in place, unrecorded, within bounds, torch's numbers from torch's seed."""

import math
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn import init

FILLS = {
    "uniform_": lambda t: init.uniform_(t, -2, 3),
    "normal_": lambda t: init.normal_(t, 0.5, 2.0),
    "trunc_normal_": lambda t: init.trunc_normal_(t, 0.5, 2.0, -1, 1),
    "constant_": lambda t: init.constant_(t, 1.5),
    "zeros_": init.zeros_,
    "ones_": init.ones_,
    "eye_": init.eye_,
    "xavier_uniform_": init.xavier_uniform_,
    "xavier_normal_": init.xavier_normal_,
    "kaiming_uniform_": init.kaiming_uniform_,
    "kaiming_normal_": init.kaiming_normal_,
    "orthogonal_": init.orthogonal_,
    "sparse_": lambda t: init.sparse_(t, 0.3),
}
DRAWN = [name for name in FILLS if name not in ("constant_", "zeros_", "ones_", "eye_")]


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_a_parameter_is_filled_in_its_own_memory_and_returned(fill, dtype):
    p = nn.Parameter(tinyrnn.full((30, 20), -7.0, dtype=dtype))
    memory = p.array
    loss = (p * p).sum()
    assert fill(p) is p
    assert p.array is memory
    assert p.dtype == dtype
    assert p.is_leaf
    assert p.requires_grad
    assert not (p.array == -7).any()
    with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
        loss.backward()


@pytest.mark.parametrize("name", FILLS)
def test_the_same_seed_gives_the_same_numbers_and_a_generator_its_own(name):
    tensors = []
    for _ in range(2):
        tinyrnn.manual_seed(4)
        tensors.append(FILLS[name](tinyrnn.empty(6, 5)))
    assert np.array_equal(tensors[0].array, tensors[1].array)
    if name in DRAWN and name != "sparse_":  # whose zeros come from the default generator, as in torch
        before = tinyrnn.get_rng_state()
        drawn = getattr(init, name)(tinyrnn.empty(6, 5), generator=tinyrnn.Generator().manual_seed(4))
        assert np.array_equal(np.asarray(before), np.asarray(tinyrnn.get_rng_state()))
        tinyrnn.manual_seed(4)
        assert np.array_equal(drawn.array, getattr(init, name)(tinyrnn.empty(6, 5)).array)


AS_TORCH = [
    *[("uniform_", args) for args in [(), (-1.0, 2.0)]],
    *[("normal_", args) for args in [(), (0.5, 2.0)]],
    *[("trunc_normal_", args) for args in [(), (0.5, 1.0, -3.0, 1.0), (0.0, 1.0, 1.5, 3.0), (0.5, 0.3, -0.2, 0.1)]],
    *[("eye_", ()), ("constant_", (0.3,)), ("zeros_", ()), ("ones_", ())],
    *[("xavier_uniform_", args) for args in [(), (5 / 3,)]],
    *[("xavier_normal_", args) for args in [(), (0.3,)]],
    *[("kaiming_uniform_", args) for args in [(), (5**0.5,), (0, "fan_out", "relu"), (0, "FAN_IN", "tanh")]],
    *[("kaiming_normal_", args) for args in [(), (0.1, "fan_out"), (0, "fan_in", "selu")]],
    *[("orthogonal_", args) for args in [(), (2.0,)]],
    *[("sparse_", args) for args in [(0.3,), (0.0, 2.0), (1.0,)]],
]


@pytest.mark.parametrize(("name", "args"), AS_TORCH)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_are_torchs(torch, name, args, dtype):
    def filled(m, shape, transposed):
        m.manual_seed(11)
        x = m.empty(*shape, dtype=getattr(m, dtype))
        x = x.t() if transposed else x
        getattr(m.nn.init, name)(x, *args)
        return x.numpy(), m.rand(3).numpy()

    for shape in ((3, 4), (4, 3), (5, 7), (20, 30), (40, 20), (1, 1)):
        for transposed in (False, True):
            (x, after), (y, expected) = (filled(m, shape, transposed) for m in (tinyrnn, torch))
            tolerance = 0 if "uniform" in name else 1e-6 if dtype == "float32" else 1e-13
            np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * np.abs(y).max())
            np.testing.assert_array_equal(after, expected)  # as much was drawn


def test_more_axes_and_fewer_are_torchs(torch):
    for name in ("uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "kaiming_normal_", "orthogonal_"):
        for shape in ((4, 3, 2), (2, 3, 4, 5), (7,), ()):
            if len(shape) < 2 and name[0] in "xko":
                continue
            x, y = tinyrnn.empty(shape), torch.empty(shape)
            for m, t in ((tinyrnn, x), (torch, y)):
                m.manual_seed(1)
                getattr(m.nn.init, name)(t)
            tolerance = 0 if "uniform" in name else 2e-6
            np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=tolerance, atol=tolerance)


def test_the_numbers_have_the_distribution_they_are_said_to_have():
    x = init.uniform_(tinyrnn.empty(200, 100), -2, 3).array
    assert -2 <= x.min() < -1.99
    assert 2.99 < x.max() < 3
    assert abs(x.mean() - 0.5) < 0.04  # four standard deviations of the mean of 20,000 draws
    assert abs(x.std() - 5 / np.sqrt(12)) < 0.04
    z = init.normal_(tinyrnn.empty(200, 100), 0.5, 2).array
    assert abs(z.mean() - 0.5) < 0.06
    assert abs(z.std() - 2) < 0.04
    assert init.uniform_(tinyrnn.empty(1000)).array.min() >= 0
    assert abs(init.normal_(tinyrnn.empty(20000)).array.std() - 1) < 0.02
    assert set(init.constant_(tinyrnn.empty(3), 2.5).tolist()) == {2.5}
    assert set(init.zeros_(tinyrnn.empty(3)).tolist()) == {0}
    assert set(init.ones_(tinyrnn.empty(3)).tolist()) == {1}
    assert init.eye_(tinyrnn.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(("a", "b"), [(-2, 2), (-0.5, 0.2), (1, 3), (2, math.inf), (0.5, 0.5)])
def test_the_truncated_normal_stays_in_bounds_and_has_its_mean(a, b):
    if b == math.inf:
        with pytest.raises(ValueError, match="uniform"):
            init.trunc_normal_(tinyrnn.empty(3), a=a, b=b)
        return
    x = init.trunc_normal_(tinyrnn.empty(20000), a=a, b=b).array
    assert (x >= a).all()
    assert (x <= b).all()
    if a < b:
        pdf, cdf = (lambda t: math.exp(-t * t / 2) / math.sqrt(2 * math.pi)), (lambda t: math.erf(t / math.sqrt(2)) / 2)
        assert abs(x.mean() - (pdf(a) - pdf(b)) / (cdf(b) - cdf(a))) < 4 * x.std() / math.sqrt(20000)


def test_a_mean_outside_the_bounds_warns():
    with pytest.warns(UserWarning, match=r"mean is more than 2 std from \[a, b\]"):
        x = init.trunc_normal_(tinyrnn.empty(100), mean=10)
    assert x.array.min() > 0
    assert x.array.max() <= 2


@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (50, 10, 20)])
def test_the_spread_is_that_of_the_fans(shape):
    n = math.prod(shape[2:])
    fan_in, fan_out = shape[1] * n, shape[0] * n
    for fill, variance in (
        (lambda t: init.xavier_uniform_(t, 3.0), 9 * 2 / (fan_in + fan_out)),
        (lambda t: init.xavier_normal_(t), 2 / (fan_in + fan_out)),
        (lambda t: init.kaiming_uniform_(t, nonlinearity="relu"), 2 / fan_in),
        (lambda t: init.kaiming_normal_(t, 2.0, mode="fan_out"), 2 / 5 / fan_out),
    ):
        x = fill(tinyrnn.empty(shape)).array
        assert abs(x.std() / math.sqrt(variance) - 1) < 4 / math.sqrt(x.size)
        assert abs(x.mean()) < 4 * math.sqrt(variance / x.size)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (4, 2, 3)])
def test_orthogonal_rows_or_columns(shape):
    q = init.orthogonal_(tinyrnn.empty(shape, dtype=tinyrnn.float64), gain=2).array.reshape(shape[0], -1)
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-13)


def test_sparse_columns_have_their_zeros():
    x = init.sparse_(tinyrnn.empty(10, 6), 0.25, std=3.0).array
    assert ((x == 0).sum(0) == 3).all()
    assert (x != 0).any(1).all()


def test_gains_are_torchs(torch):
    for name in ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "sigmoid", "tanh", "relu", "selu"):
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    for slope in (None, 0, 0.2, 5**0.5):
        assert init.calculate_gain("leaky_relu", slope) == torch.nn.init.calculate_gain("leaky_relu", slope)


def test_gains():
    assert (init.calculate_gain("relu"), init.calculate_gain("tanh")) == (math.sqrt(2), 5 / 3)
    assert init.calculate_gain("leaky_relu", 1) == init.calculate_gain("linear") == 1


def test_the_old_names_warn_and_do_the_same(torch):
    olds = [name for name in torch.nn.init.__all__ if name + "_" in torch.nn.init.__all__ and name != "dirac"]
    assert len(olds) == 10
    for old in olds:
        args = {"constant": (2.0,), "sparse": (0.3,)}.get(old, ())
        tinyrnn.manual_seed(2)
        with pytest.warns(FutureWarning, match=f"`nn.init.{old}` is now deprecated in favor of `nn.init.{old}_`"):
            x = getattr(init, old)(tinyrnn.empty(4, 4), *args)
        tinyrnn.manual_seed(2)
        assert x.tolist() == getattr(init, old + "_")(tinyrnn.empty(4, 4), *args).tolist()
        assert getattr(init, old).__name__ == old


def test_a_view_fills_a_part_of_its_base():
    x = tinyrnn.zeros(3, 4)
    init.ones_(x[1])
    assert x.array.sum(axis=1).tolist() == [0, 4, 0]
    init.uniform_(x[:, ::2], 5, 6)
    assert (x.array[:, ::2] >= 5).all()
    assert x.array[:, 1::2].tolist() == [[0, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize("name", FILLS)
def test_empty_tensors_stay_empty(name):
    x = tinyrnn.empty(0, 3)
    if "kaiming" in name:
        with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
            FILLS[name](x)
    else:
        assert FILLS[name](x) is x
    assert x.shape == (0, 3)


@pytest.mark.parametrize("name", FILLS)
def test_what_is_no_tensor_of_numbers_is_refused(name):
    called = "constant_" if name in ("zeros_", "ones_") else name
    with pytest.raises(TypeError, match=re.escape(f"init.{called}: got ndarray, expected a tensor")):
        FILLS[name](np.zeros((3, 3)))
    whole = tinyrnn.zeros(3, 3).long()
    if name in DRAWN:
        with pytest.raises(TypeError, match=re.escape(f"init.{name}: the tensor is int64, expected a floating dtype")):
            FILLS[name](whole)
        with pytest.raises(TypeError, match=f"{name}.*generator is int, expected"):
            getattr(init, name)(tinyrnn.empty(3, 3), *[0.3] * (name == "sparse_"), generator=3)


def test_whole_numbers_are_filled_with_whole_numbers():
    assert init.ones_(tinyrnn.zeros(3).long()).tolist() == [1, 1, 1]
    assert init.zeros_(tinyrnn.ones(3).long()).tolist() == [0, 0, 0]
    assert init.eye_(tinyrnn.zeros(2, 2).long()).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (lambda x: init.uniform_(x, 1, 0), "uniform: got [1.0, 0.0), expected low <= high"),
        (lambda x: init.normal_(x, 0, -1), "normal: got"),
        (lambda x: init.trunc_normal_(x, a=1, b=0), "init.trunc_normal_: std is 1.0, the bounds are 1 and 0"),
        (lambda x: init.trunc_normal_(x, std=0), "init.trunc_normal_: std is 0, the bounds are"),
        (lambda x: init.eye_(x[0]), "init.eye_: the tensor is (3,), expected two axes"),
        (lambda x: init.orthogonal_(x[0]), "init.orthogonal_: the tensor is (3,), expected two axes or more"),
        (lambda x: init.sparse_(x[0], 0.1), "init.sparse_: the tensor is (3,), the sparsity 0.1, expected two axes"),
        (lambda x: init.sparse_(x, 1.1), "init.sparse_: the tensor is (3, 3), the sparsity 1.1, expected two axes"),
        (lambda x: init.xavier_normal_(x[0]), "init.xavier_normal_: the tensor is (3,), expected two axes or more"),
        (lambda x: init.kaiming_normal_(x[0]), "init.kaiming_normal_: the tensor is (3,), expected two axes or more"),
        (lambda x: init.kaiming_uniform_(x, mode="in"), "init.kaiming_uniform_: the mode is 'in', expected 'fan_in'"),
        (lambda x: init.kaiming_uniform_(x, 0, "fan_in", "gelu"), "init.calculate_gain: the nonlinearity is 'gelu'"),
        (lambda x: init.calculate_gain("leaky_relu", True), "init.calculate_gain: the slope is True, expected a num"),
    ],
)
def test_arguments_that_are_none_are_refused_and_change_nothing(fill, message):
    x = tinyrnn.zeros(3, 3)
    before = tinyrnn.get_rng_state()
    with pytest.raises(ValueError, match=re.escape(message)):
        fill(x)
    assert not x.array.any()
    assert np.array_equal(np.asarray(before), np.asarray(tinyrnn.get_rng_state()))
