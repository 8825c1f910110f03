"""tinyrnn.random draws torch's numbers: those recorded here (torch 2.13, CPU) and, with torch, fresh ones."""

import copy
import importlib.util
import math
import pickle
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest

from tinyrnn import random
from tinyrnn.random import Generator

DTYPES = [np.float32, np.float64]
SIZES = [0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 100, 1000]
SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32 + 5, 67280421310721, 2**64 - 1, -1, -(2**63)]


def seeded(seed=0):
    return Generator().manual_seed(seed)


def assert_normals_close(ours, theirs):
    """Equal to 1e-6 (float32) or 1e-15 (float64) of the largest value."""
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if ours.size:
        tolerance = (1e-6 if ours.dtype == np.float32 else 1e-15) * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


# What torch 2.13 drew after torch.manual_seed(0), every digit.


def test_uniform_landmarks():
    expected = [
        0.49625658988952637,
        0.7682217955589294,
        0.08847743272781372,
        0.13203048706054688,
        0.30742281675338745,
    ]
    assert seeded().uniform(5).tolist() == expected
    expected = [0.9700530018065531, 0.707819864399788, 0.45938294312745087]
    assert seeded().uniform(3, dtype=np.float64).tolist() == expected
    expected = [
        -0.12780755758285522,
        0.07616634666919708,
        -0.4336419105529785,
        -0.40097713470458984,
        -0.2694329023361206,
    ]
    assert seeded().uniform(5, -0.5, 0.25).tolist() == expected


def test_normal_landmarks():
    few = [
        1.5409960746765137,
        -0.293428897857666,
        -2.1787893772125244,
        0.5684312582015991,
        -1.0845223665237427,
    ]
    assert_normals_close(seeded().normal(5), np.array(few, np.float32))
    many = [
        -1.1258398294448853,
        -1.152360200881958,
        -0.2505785822868347,
        -0.4338788092136383,
        0.5988394618034363,
    ]
    many += [
        -1.5550950765609741,
        -0.3413603901863098,
        1.85300612449646,
        0.46809640526771545,
        -0.1577124446630478,
    ]
    many += [
        1.4436601400375366,
        0.26604941487312317,
        1.3893661499023438,
        1.586334228515625,
        0.946298360824585,
    ]
    many += [
        -0.843676745891571,
        0.9318265914916992,
        1.2590092420578003,
        2.0049805641174316,
        0.05373690277338028,
    ]
    assert_normals_close(seeded().normal(20), np.array(many, np.float32))
    few64 = [1.5409961082440433, -0.2934289057609464, -2.1787893820745574]
    assert_normals_close(seeded().normal(3, dtype=np.float64), np.array(few64))
    many64 = [
        -2.310411800234176,
        -0.3732508612577643,
        -1.2609246557194385,
        -0.726951062065411,
        -0.019964750907762653,
    ]
    assert_normals_close(seeded().normal(18, dtype=np.float64)[:5], np.array(many64))


def test_whole_number_landmarks():
    assert seeded().integers(0, 10, 10).tolist() == [4, 9, 3, 0, 3, 9, 7, 3, 7, 3]
    assert seeded().integers(-(2**40), 2**40, 3).tolist() == [-358231004625, -593374360384, 291447657211]
    assert seeded().permutation(10).tolist() == [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]
    assert np.flatnonzero(seeded().bernoulli(0.3, 10)).tolist() == [6, 9]


def test_new_generator_starts_at_torchs_default_seed():
    assert Generator().initial_seed() == 67280421310721
    assert Generator().uniform(3).tolist() == [0.267295241355896, 0.8725283145904541, 0.3352888226509094]


# Properties that need no torch.


def test_moments():
    g, n = seeded(1), 100_000  # tolerances: five standard errors
    assert abs(g.uniform(n, 2, 4).mean() - 3) < 5 * (2 / math.sqrt(12)) / math.sqrt(n)
    x = g.normal(n, 3.0, 2.0, np.float64)
    assert abs(x.mean() - 3) < 5 * 2 / math.sqrt(n)
    assert abs(x.std() - 2) < 5 * 2 / math.sqrt(2 * n)
    singles = np.concatenate([g.normal(15, dtype=np.float64) for _ in range(2000)])
    assert abs(singles.std() - 1) < 5 / math.sqrt(2 * singles.size)
    assert abs(g.bernoulli(0.2, n).mean() - 0.2) < 5 * 0.4 / math.sqrt(n)
    counts = np.bincount(g.integers(0, 7, n), minlength=7)
    assert np.abs(counts - n / 7).max() < 5 * math.sqrt(n / 7)
    np.testing.assert_array_equal(np.sort(g.permutation(1000)), np.arange(1000))


@pytest.mark.parametrize("shape", [(), 3, (3,), (2, 3), (2, 0), [4, 5], np.int64(4), (1, 2, 3, 4)])
def test_shapes_and_dtypes(shape):
    g, dims = seeded(), np.zeros(shape).shape
    for dtype in DTYPES:
        for x in (g.uniform(shape, -1, 1, dtype), g.normal(shape, 1, 2, dtype)):
            assert isinstance(x, np.ndarray)
            assert (x.shape, x.dtype) == (dims, dtype)
    for dtype in (np.int64, np.int32, np.uint8):
        assert (g.integers(0, 9, shape, dtype).shape, g.integers(0, 9, shape, dtype).dtype) == (dims, dtype)
    assert (g.bernoulli(0.5, shape).shape, g.bernoulli(0.5, shape).dtype) == (dims, np.bool_)
    assert g.permutation(3).dtype == np.int64


def test_edges_of_the_ranges():
    g = seeded()
    assert (g.uniform(50, 5, 5) == 5).all()
    assert (g.normal(50, 5, 0) == 5).all()
    assert not g.bernoulli(0, 50).any()
    assert g.bernoulli(1, 50).all()
    x = g.integers(-(2**63), 2**63 - 1, 200)
    assert x.min() < -(2**62) < 2**62 < x.max()
    assert set(g.integers(250, 256, 200, np.uint8).tolist()) == set(range(250, 256))
    x = g.uniform(200, -8e307, 8e307, np.float64)
    assert np.isfinite(x).all()
    assert x.min() < -4e307 < 4e307 < x.max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform_never_returns_high(dtype):
    high = dtype(1) + 2 * np.finfo(dtype).eps  # three numbers, rounding would give 1, 1 + eps and high
    assert set(seeded().uniform(200, 1.0, high, dtype).tolist()) == {1.0, float(1 + np.finfo(dtype).eps)}


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 24), (np.float64, 53)])
def test_uniform_and_normal_scale_and_add_with_one_rounding(dtype, bits):
    """Against exact fractions, with few bits set and far apart, where rounding twice goes wrong."""
    choose = np.random.default_rng(0)

    def sparse(size):
        places = choose.integers(0, bits, (3, size)) + choose.integers(-bits, bits, size)
        return (choose.choice([-1, 1], size) * np.ldexp(1.0, -places).sum(0)).astype(dtype)

    for factor, term in zip(sparse(300), sparse(300), strict=True):
        x = sparse(20)
        for x_i, y_i in zip(x.tolist(), random._multiply_add(x, factor, term).tolist(), strict=True):
            exact = Fraction(x_i) * Fraction(float(factor)) + Fraction(float(term))
            if exact:
                unit = Fraction(2) ** (math.frexp(float(exact))[1] - bits)
                assert y_i == float(round(exact / unit) * unit)


def test_negative_seeds_and_seeds_that_share_their_low_word():
    assert seeded(-1).initial_seed() == 2**64 - 1
    for a, b in ((-1, 2**64 - 1), (5, 2**32 + 5)):
        np.testing.assert_array_equal(seeded(a).uniform(9), seeded(b).uniform(9))
    assert (seeded(0).uniform(9) != seeded(1).uniform(9)).all()


def test_manual_seed_forgets_the_kept_normal():
    g = seeded()
    g.normal(1)
    np.testing.assert_array_equal(g.manual_seed(0).normal(3), seeded().normal(3))


def test_seed_differs_each_time_and_repeats_the_stream():
    g = Generator()
    first, second = g.seed(), g.seed()
    assert first != second
    assert g.initial_seed() == second
    np.testing.assert_array_equal(g.uniform(5), seeded(second).uniform(5))


def test_module_starts_anywhere_and_drives_its_generator():
    spec = importlib.util.find_spec("tinyrnn.random")
    fresh = [importlib.util.module_from_spec(spec) for _ in range(2)]
    for module in fresh:
        spec.loader.exec_module(module)
    first, second = fresh
    assert first.initial_seed() != second.initial_seed()
    assert first.manual_seed(7) is first.default_generator
    assert first.initial_seed() == 7
    state = first.get_rng_state()
    x = first.default_generator.uniform(4)
    first.set_rng_state(state)
    np.testing.assert_array_equal(first.default_generator.uniform(4), x)
    assert first.seed() == first.initial_seed() != 7


def draws(g):
    return [g.normal(1), g.uniform(3), g.normal(20), g.permutation(9), g.normal(2), g.integers(0, 2**30, 4)]


@pytest.mark.parametrize("before", [0, 1, 2, 700])
@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        lambda g: pickle.loads(pickle.dumps(g)),
        lambda g: Generator().set_state(g.get_state()),
        lambda g: seeded(9).set_state(g.get_state().copy()),
    ],
)
def test_copies_continue_alike_and_independently(again, before):
    g = seeded(11)
    for _ in range(before):
        g.normal(1)  # after an odd number, a normal is kept
    twin, third = again(g), again(g)
    assert twin.initial_seed() == 11
    expected = draws(g)
    for other in (twin, third):  # `third` was not moved by the draws from `twin`
        for x, y in zip(draws(other), expected, strict=True):
            np.testing.assert_array_equal(x, y)


def test_state_is_bytes_and_a_snapshot():
    g = seeded()
    state = g.get_state()
    assert (state.dtype, state.shape) == (np.uint8, (2528,))
    snapshot = state.copy()
    g.normal(3)
    np.testing.assert_array_equal(state, snapshot)
    after = g.get_state()
    assert (after != snapshot).any()
    state[:] = 0  # the caller's own
    np.testing.assert_array_equal(g.get_state(), after)


def test_threads_share_one_stream_without_losing_or_repeating_numbers():
    g, drawn, times = seeded(), [], 300
    interval = sys.getswitchinterval()

    def work():
        for _ in range(times):
            drawn.extend(g.normal(1, dtype=np.float64).tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    alone = seeded()
    assert sorted(drawn) == sorted(float(alone.normal((), dtype=np.float64)) for _ in range(4 * times))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: Generator("cuda"), ValueError, "Generator.*cuda.*cpu"),
        (lambda g: g.manual_seed(2**64), ValueError, r"manual_seed.*2\*\*64"),
        (lambda g: g.manual_seed(-(2**63) - 1), ValueError, "manual_seed"),
        (lambda g: g.manual_seed(1.0), TypeError, "manual_seed.*1.0.*int"),
        (lambda g: g.manual_seed("1"), TypeError, "manual_seed"),
        (lambda g: g.manual_seed(True), TypeError, "manual_seed.*True"),
        (lambda g: g.manual_seed(None), TypeError, "manual_seed.*None"),
        (lambda g: g.uniform(3, 2, 1), ValueError, "uniform.*low <= high"),
        (lambda g: g.uniform(3, math.nan, 1), ValueError, "uniform.*nan"),
        (lambda g: g.uniform(3, 0, math.inf), ValueError, "uniform.*inf"),
        (lambda g: g.uniform(3, 0, 1e39), ValueError, "uniform.*float32"),
        (lambda g: g.uniform(3, -1e308, 1e308, np.float64), ValueError, "uniform.*float64"),
        (lambda g: g.uniform((2, -1)), ValueError, r"uniform.*\(2, -1\)"),
        (lambda g: g.uniform(2.5), TypeError, "uniform.*2.5"),
        (lambda g: g.uniform(3, dtype=np.int64), TypeError, "uniform.*int64"),
        (lambda g: g.uniform(3, dtype=np.longdouble), TypeError, "uniform.*longdouble|float128"),
        (lambda g: g.normal(3, 0, -1), ValueError, "normal.*std=-1"),
        (lambda g: g.normal(3, 0, math.nan), ValueError, "normal.*nan"),
        (lambda g: g.normal(3, math.inf, 1), ValueError, "normal.*inf"),
        (lambda g: g.normal(-3), ValueError, "normal.*-3"),
        (lambda g: g.normal(3, dtype=np.complex64), TypeError, "normal.*complex64"),
        (lambda g: g.integers(3, 3, 2), ValueError, "integers.*low < high"),
        (lambda g: g.integers(0, 257, 2, np.uint8), ValueError, "integers.*uint8"),
        (lambda g: g.integers(0, 2**64, 2), ValueError, "integers"),
        (lambda g: g.integers(-(2**63), 2**63, 2), ValueError, "integers"),
        (lambda g: g.integers(-1, 5, 2, np.uint8), ValueError, "integers.*uint8"),
        (lambda g: g.integers(0, 3.0, 2), TypeError, "integers.*high=3.0"),
        (lambda g: g.integers(0, 3, 2, np.float32), TypeError, "integers.*float32"),
        (lambda g: g.integers(0, 3, (-1,)), ValueError, "integers.*-1"),
        (lambda g: g.permutation(-1), ValueError, "permutation.*-1"),
        (lambda g: g.permutation(2**32), ValueError, "permutation.*4294967296"),
        (lambda g: g.permutation(3.0), TypeError, "permutation.*3.0"),
        (lambda g: g.bernoulli(1.5, 3), ValueError, "bernoulli.*1.5"),
        (lambda g: g.bernoulli(-0.1, 3), ValueError, "bernoulli.*-0.1"),
        (lambda g: g.bernoulli(math.nan, 3), ValueError, "bernoulli.*nan"),
        (lambda g: g.bernoulli(0.5, -3), ValueError, "bernoulli.*-3"),
        (lambda g: g.set_state(g.get_state().astype(np.int64)), TypeError, "set_state.*int64.*uint8"),
        (lambda g: g.set_state(g.get_state()[:-1]), ValueError, r"set_state.*\(2527,\).*\(2528,\)"),
        (lambda g: g.set_state(g.get_state()[None]), ValueError, "set_state"),
        (lambda g: g.set_state(g.get_state() ^ np.eye(1, 2528, dtype=np.uint8)[0]), ValueError, "set_state"),
        (lambda g: g.set_state(np.zeros(2528, np.uint8)), ValueError, "set_state.*did not write"),
        (
            lambda g: g.set_state(g.get_state() | np.repeat(np.uint8([0, 255]), [16, 2512])),
            ValueError,
            "set_state",
        ),
        (
            lambda g: g.set_state(g.get_state() * np.repeat(np.uint8([1, 0]), [32, 2496])),
            ValueError,
            "set_state",
        ),
    ],
)
def test_bad_input_is_refused_and_draws_nothing(call, error, message):
    g = seeded()
    g.normal(1)
    before = g.get_state()
    with pytest.raises(error, match=message):
        call(g)
    np.testing.assert_array_equal(g.get_state(), before)


# Against torch itself.


def torch_dtype(torch, dtype):
    return torch.float32 if dtype == np.float32 else torch.float64


def assert_scaled_uniform_equal(torch, ours, theirs, low):
    """Equal bits; where torch finds no fused multiply-add, equal to two roundings but for high turned low."""
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT" and ours.size:
        low = ours.dtype.type(low)
        ulp, inner = np.spacing(abs(low) + np.abs(theirs).max()), (ours != low) & (theirs != low)
        np.testing.assert_allclose(ours[inner], theirs[inner], rtol=0, atol=2 * ulp)
    else:
        np.testing.assert_array_equal(ours, theirs, strict=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_torch_same_seeds(torch, seed):
    torch.manual_seed(seed)
    random.manual_seed(seed)
    assert random.initial_seed() == torch.initial_seed()
    np.testing.assert_array_equal(random.default_generator.uniform(700), torch.rand(700).numpy(), strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_torch_same_floats(torch, size, dtype):
    kind, g = torch_dtype(torch, dtype), seeded(size)
    torch.manual_seed(size)
    for _ in range(2):  # the second round starts at an odd place
        np.testing.assert_array_equal(g.uniform(size, dtype=dtype), torch.rand(size, dtype=kind).numpy(), strict=True)
        assert_normals_close(g.normal(size, dtype=dtype), torch.randn(size, dtype=kind).numpy())
        theirs = torch.empty(size, dtype=kind).normal_(3.3, 0.7).numpy()
        assert_normals_close(g.normal(size, 3.3, 0.7, dtype), theirs)
        assert_normals_close(g.normal((), dtype=dtype), torch.randn((), dtype=kind).numpy())


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_same_uniform_with_bounds(torch, dtype):
    bounds = [(-1 / math.sqrt(n), 1 / math.sqrt(n)) for n in (1, 3, 20, 64, 100, 1000)]
    bounds += [(0, 3.7), (-1.1, 2.3), (1000.1, 1000.7), (57.778816, 57.778822), (5, 5), (-3e-9, 1e5)]
    bounds += [(1.0, 1.0 + 2 * float(np.finfo(dtype).eps))]  # many values round to high
    for seed, (low, high) in enumerate(bounds):
        for shape in ((), (3,), (40, 25)):
            torch.manual_seed(seed)
            theirs = torch.empty(shape, dtype=torch_dtype(torch, dtype)).uniform_(low, high).numpy()
            assert_scaled_uniform_equal(torch, seeded(seed).uniform(shape, low, high, dtype), theirs, low)


def test_torch_same_integers(torch):
    bounds = [(0, 1), (0, 10), (-5, 7), (0, 2**28 - 1), (0, 2**28), (-(2**27), 2**27), (0, 2**31), (0, 2**32)]
    bounds += [(0, 2**32 + 1), (-(2**40), 2**40), (0, 2**63 - 1), (-(2**63), 2**63 - 1)]
    g = seeded(3)
    torch.manual_seed(3)
    for low, high in bounds:
        for shape in ((0,), (), (7, 3)):
            np.testing.assert_array_equal(
                g.integers(low, high, shape), torch.randint(low, high, shape).numpy(), strict=True
            )
    for name in ("uint8", "int8", "int16", "int32"):
        theirs = torch.randint(2, 100, (50,), dtype=getattr(torch, name)).numpy()
        np.testing.assert_array_equal(g.integers(2, 100, 50, name), theirs, strict=True)


def test_torch_same_permutations(torch):
    g = seeded(4)
    torch.manual_seed(4)
    for n in (0, 1, 2, 3, 10, 100, 5000):
        np.testing.assert_array_equal(g.permutation(n), torch.randperm(n).numpy(), strict=True)


@pytest.mark.parametrize("p", [0.0, 1e-3, 0.2, 0.5, 0.9999, 1.0])
def test_torch_same_bernoulli_and_dropout(torch, p):
    g = seeded(5)
    torch.manual_seed(5)
    for shape in ((), (0,), (1,), (17,), (30, 40)):
        np.testing.assert_array_equal(g.bernoulli(p, shape), torch.empty(shape).bernoulli_(p).bool().numpy())
    kept = torch.nn.functional.dropout(torch.ones(50, 9), 0.3) != 0
    np.testing.assert_array_equal(g.bernoulli(1 - 0.3, (50, 9)), kept.numpy())


@pytest.mark.parametrize("seed", range(40))
def test_torch_same_after_any_mixture(torch, seed):
    """A draw that took one word too many or too few, or lost the kept normal, would shift all that follow."""
    choose, g = np.random.default_rng(seed), seeded(seed)
    torch.manual_seed(seed)
    for _ in range(30):
        n, dtype = int(choose.choice(SIZES[:-1])), DTYPES[choose.integers(2)]
        kind = torch_dtype(torch, dtype)
        match choose.integers(6):
            case 0:
                np.testing.assert_array_equal(g.uniform(n, dtype=dtype), torch.rand(n, dtype=kind).numpy(), strict=True)
            case 1:
                mean, std = float(choose.normal()), float(choose.uniform(0, 3))
                theirs = torch.empty(n, dtype=kind).normal_(mean, std).numpy()
                assert_normals_close(g.normal(n, mean, std, dtype), theirs)
            case 2:
                low, width = int(choose.integers(-(2**40), 2**40)), int(2 ** choose.uniform(0, 40))
                theirs = torch.randint(low, low + width, (n,)).numpy()
                np.testing.assert_array_equal(g.integers(low, low + width, n), theirs, strict=True)
            case 3:
                np.testing.assert_array_equal(g.permutation(n), torch.randperm(n).numpy(), strict=True)
            case 4:
                p = float(choose.uniform())
                np.testing.assert_array_equal(g.bernoulli(p, n), torch.empty(n).bernoulli_(p).bool().numpy())
            case 5:
                low = float(choose.normal() * 10 ** choose.uniform(-5, 5))
                high = low + float(abs(choose.normal()) * 10 ** choose.uniform(-5, 5))
                theirs = torch.empty(n, dtype=kind).uniform_(low, high).numpy()
                assert_scaled_uniform_equal(torch, g.uniform(n, low, high, dtype), theirs, low)


def test_torch_same_weights_as_a_layer(torch):
    """nn.Linear(10, 7) and nn.LSTM(3, 5), drawn in their order, each from U(-1 / sqrt(n), 1 / sqrt(n))."""
    torch.manual_seed(0)
    linear, lstm, g = torch.nn.Linear(10, 7), torch.nn.LSTM(3, 5), seeded(0)
    for layer, n in ((linear, 10), (lstm, 5)):
        bound = 1 / math.sqrt(n)
        for weight in layer.parameters():
            theirs = weight.detach().numpy()
            assert_scaled_uniform_equal(torch, g.uniform(theirs.shape, -bound, bound), theirs, -bound)


def test_halves_stay_below_the_upper_bound():
    drawn = random.Generator().manual_seed(0).uniform(100_000, dtype=np.float16)
    assert drawn.dtype == np.float16
    assert 0 <= drawn.min() < drawn.max() < 1


def test_changes_say_whether_the_state_is_another():
    generator = Generator()
    for change in (
        lambda: generator.manual_seed(1),
        lambda: generator.normal((3,)),
        lambda: generator.set_state(generator.get_state()),
    ):
        before = generator.changes
        change()
        assert generator.changes > before
    before = generator.changes
    generator.get_state()
    assert generator.changes == before
