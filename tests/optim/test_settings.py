"""What is a number, a pair, a whole number, a way to loop."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim.settings import check_betas, check_loop, check_number, check_numbers, check_pair, check_whole

INF = float("inf")


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.int64(0), tinyrnn.tensor(0.5), tinyrnn.tensor([0.25])])
def test_numbers(value):
    check_number("Rule", "lr", value, high=1)


@pytest.mark.parametrize(
    ("value", "closed", "exception", "message"),
    [
        (-0.1, False, ValueError, "Rule: lr is -0.1, expected 0.0 <= lr < 1"),
        (1, False, ValueError, "Rule: lr is 1, expected 0.0 <= lr < 1"),
        (1.5, True, ValueError, "Rule: lr is 1.5, expected 0.0 <= lr <= 1"),
        (float("nan"), True, ValueError, "Rule: lr is nan"),
        (tinyrnn.tensor(2.0), False, ValueError, "Rule: lr is 2.0, expected"),
        (tinyrnn.ones(2), False, ValueError, "Rule: lr is a tensor of shape (2,), expected one element"),
        ("0.1", False, TypeError, "Rule: lr is '0.1', expected a number"),
        (True, False, TypeError, "Rule: lr is True, expected a number"),
        (None, False, TypeError, "Rule: lr is None, expected a number"),
        (np.ones(1), False, TypeError, "Rule: lr is array([1.]), expected a number"),
    ],
)
def test_what_is_no_such_number(value, closed, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        check_number("Rule", "lr", value, high=1, closed=closed)


def test_the_upper_end_belongs_to_it_where_it_is_closed():
    check_number("Rule", "rho", 1.0, high=1.0, closed=True)


def test_several_numbers():
    check_numbers("Rule", {"lr": 0.1, "eps": 0}, "lr", "eps")
    with pytest.raises(ValueError, match="Rule: eps is -1, expected"):
        check_numbers("Rule", {"lr": 0.1, "eps": -1}, "lr", "eps")


@pytest.mark.parametrize("pair", [(0.1, -3), [1, 2], (tinyrnn.tensor(1.0), 2), (0, INF)])
def test_pairs(pair):
    assert check_pair("Rule", {"etas": pair}, "etas") == tuple(pair)


@pytest.mark.parametrize(
    ("pair", "exception", "message"),
    [
        (0.1, ValueError, "Rule: betas is 0.1, expected two numbers"),
        ((1, 2, 3), ValueError, "Rule: betas is (1, 2, 3), expected two numbers"),
        ("ab", ValueError, "Rule: betas is 'ab', expected two numbers"),
        ((0.1, "b"), TypeError, "Rule: betas[1] is 'b', expected a number"),
        ((0.1, 1.0), ValueError, "Rule: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ((-0.1, 0.1), ValueError, "Rule: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
    ],
)
def test_what_are_no_betas(pair, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        check_betas("Rule", {"betas": pair})


@pytest.mark.parametrize(
    ("value", "exception", "message"),
    [
        (0, ValueError, "Rule: max_iter is 0, expected at least 1"),
        (1.0, TypeError, "Rule: max_iter is 1.0, expected a whole number"),
        (True, TypeError, "Rule: max_iter is True, expected a whole number"),
    ],
)
def test_what_is_no_whole_number(value, exception, message):
    check_whole("Rule", "max_iter", np.int64(1))
    with pytest.raises(exception, match=re.escape(message)):
        check_whole("Rule", "max_iter", value)


def test_ways_to_loop():
    check_loop("Rule", {})
    check_loop("Rule", {"foreach": True, "fused": None, "differentiable": False, "capturable": True})
    with pytest.raises(NotImplementedError, match="Rule: differentiable=True is not supported"):
        check_loop("Rule", {"differentiable": True})
    with pytest.raises(RuntimeError, match="Rule: foreach and fused are both True"):
        check_loop("Rule", {"foreach": True, "fused": True})
