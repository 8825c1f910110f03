"""Losses as modules: each is its function with its options, torch's signature, repr and state, and refuses nonsense."""

import copy
import inspect
import re

import numpy as np
import pytest

import tinyrnn
from loss_witness import REDUCTIONS, agree
from tinyrnn import nn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn.modules import loss as losses

NAMES = sorted(
    name for name, value in vars(losses).items() if inspect.isclass(value) and name[0] != "_" and name.endswith("Loss")
)


def arrays(*kinds):
    """Inputs by kind: x numbers, p 0..1, y classes, s signs, c counts."""
    rng = np.random.default_rng(0)
    make = {
        "x": lambda: rng.standard_normal((4, 3)),
        "p": lambda: rng.uniform(0.1, 0.9, (4, 3)),
        "y": lambda: np.array([0, 2, 1, -100]),
        "s": lambda: rng.choice([-1.0, 1], (4, 3)),
        "t": lambda: np.array([1.0, -1, 1, -1]),
        "c": lambda: rng.integers(0, 5, (4, 3)).astype(float),
    }
    return [make[kind]() for kind in kinds]


W = [0.5, 1.0, 2.0]
CASES = {  # name: (inputs, options to try)
    "MSELoss": ("xx", [{}]),
    "L1Loss": ("xx", [{}]),
    "SmoothL1Loss": ("xx", [{}, {"beta": 0.4}]),
    "HuberLoss": ("xx", [{}, {"delta": 0.4}]),
    "CrossEntropyLoss": ("xy", [{}, {"weight": W}, {"label_smoothing": 0.2}, {"ignore_index": -100, "weight": W}]),
    "NLLLoss": ("xy", [{}, {"weight": W}]),
    "BCELoss": ("pp", [{}, {"weight": W}]),
    "BCEWithLogitsLoss": ("xp", [{}, {"weight": W}, {"pos_weight": W}, {"weight": W, "pos_weight": W}]),
    "KLDivLoss": ("xp", [{"reduction": "sum"}, {"reduction": "batchmean", "log_target": True}]),
    "PoissonNLLLoss": ("xc", [{}, {"full": True}]),
    "GaussianNLLLoss": ("xxp", [{}, {"full": True, "eps": 0.5}]),
    "HingeEmbeddingLoss": ("xs", [{}, {"margin": 0.4}]),
    "CosineEmbeddingLoss": ("xxt", [{}, {"margin": -0.4}]),
    "MarginRankingLoss": ("xxs", [{}, {"margin": 0.4}]),
    "SoftMarginLoss": ("xs", [{}]),
    "TripletMarginLoss": ("xxx", [{}, {"margin": 0.4, "p": 1.0, "swap": True, "eps": 0.1}]),
}


def test_every_loss_has_a_case():
    assert sorted(CASES) == NAMES


def made(m, name, options):
    tensors = {key: m.tensor(value, dtype=m.float64) for key, value in options.items() if isinstance(value, list)}
    return getattr(m.nn, name)(**(options | tensors))


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_is_torchs_with_every_option_and_reduction(torch, name):
    kinds, several = CASES[name]
    for options in several:
        for reduction in [options["reduction"]] if "reduction" in options else REDUCTIONS:
            given = options | {"reduction": reduction}
            agree(torch, lambda m, *inputs, o=given: made(m, name, o)(*inputs), *arrays(*kinds))


@pytest.mark.parametrize("name", NAMES)
def test_the_options_of_a_loss_reach_its_function(name):
    """Each changes the result (torch's absence does not hide a forgotten one)."""
    kinds, several = CASES[name]
    inputs = [tinyrnn.tensor(x) for x in arrays(*kinds)]
    results = [made(tinyrnn, name, options)(*inputs).item() for options in several]
    expected = len(several) - (name == "CrossEntropyLoss")  # where ignore_index=-100 is what it is anyhow
    assert len(set(results)) == expected
    assert made(tinyrnn, name, {"reduction": "none"} | several[0] | {"reduction": "none"})(*inputs).ndim in (1, 2)


@pytest.mark.parametrize("name", NAMES)
def test_gradcheck_of_a_loss(name):
    kinds, several = CASES[name]
    x, *others = (tinyrnn.tensor(x) for x in arrays(*kinds))
    for options in several:
        loss = made(tinyrnn, name, options)
        assert gradcheck(lambda x, loss=loss: loss(x, *others), x.clone().requires_grad_())


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_repr_are_torchs(torch, name):
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    for method in ("__init__", "forward"):
        found, expected = (inspect.signature(getattr(cls, method)).parameters for cls in (ours, theirs))
        assert [(p.name, p.default, p.kind) for p in found.values()] == [
            (p.name, p.default, p.kind) for p in expected.values()
        ]
    assert repr(ours()) == repr(theirs())
    assert list(ours().parameters()) == []


@pytest.mark.parametrize(
    ("name", "buffers"), [("CrossEntropyLoss", ["weight"]), ("NLLLoss", ["weight"]), ("BCELoss", ["weight"]),
                          ("BCEWithLogitsLoss", ["weight", "pos_weight"])],
)  # fmt: skip
def test_weights_are_buffers(torch, name, buffers):
    loss = getattr(nn, name)(**{buffer: tinyrnn.ones(3) for buffer in buffers})
    theirs = getattr(torch.nn, name)(**{buffer: torch.ones(3) for buffer in buffers})
    assert list(loss.state_dict()) == list(theirs.state_dict()) == buffers
    assert list(getattr(nn, name)().state_dict()) == []
    assert repr(loss) == repr(theirs)
    loss.double()
    assert {buffer.dtype for buffer in loss.buffers()} == {tinyrnn.float64}
    other = getattr(nn, name)(**{buffer: tinyrnn.zeros(3) for buffer in buffers})
    other.load_state_dict(loss.state_dict())
    assert all(buffer.tolist() == [1, 1, 1] for buffer in other.buffers())
    assert copy.deepcopy(loss).weight is not loss.weight


def test_the_older_words_are_translated_with_a_warning():
    with pytest.warns(UserWarning, match="MSELoss: size_average and reduce args will be deprecated, please use redu"):
        assert nn.MSELoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="please use reduction='none' instead"):
        assert nn.CrossEntropyLoss(reduce=False).reduction == "none"


def test_shapes_that_differ_warn():
    with pytest.warns(UserWarning, match=r"mse_loss: the input is \(4, 1\), the target \(4,\): they are broadcast"):
        assert nn.MSELoss()(tinyrnn.zeros(4, 1), tinyrnn.ones(4)).item() == 1


@pytest.mark.parametrize(
    ("make", "exception", "message"),
    [
        (lambda: nn.MSELoss(reduction="max"), ValueError, "MSELoss: the reduction is 'max', expected 'mean', 'sum' or"),
        (lambda: nn.MSELoss("sum"), TypeError, "MSELoss: size_average is 'sum', expected True, False or None: say re"),
        (lambda: nn.CrossEntropyLoss(reduction="batchmean"), ValueError, "CrossEntropyLoss: the reduction is 'batchm"),
        (lambda: nn.CrossEntropyLoss("sum"), TypeError, "weight"),
        (lambda: nn.HuberLoss(delta="1"), TypeError, "HuberLoss: delta is '1', expected a number"),
        (
            lambda: nn.TripletMarginLoss(margin=0),
            ValueError,
            "TripletMarginLoss: the margin is 0, expected more than 0",
        ),
    ],
)
def test_what_is_no_option_is_refused_when_the_loss_is_made(make, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        make()


def test_the_divergence_takes_batchmean_and_warns_of_the_mean():
    assert nn.KLDivLoss(reduction="batchmean").reduction == "batchmean"
    with pytest.warns(UserWarning, match="'mean' divides the total loss by both the batch size and the support size"):
        nn.KLDivLoss()(tinyrnn.zeros(2, 3), tinyrnn.ones(2, 3))
