"""What lies below a result, which nodes lead to a requested input, and which can no longer be used."""

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd.traversal import check_unchanged, explore, leading_nowhere


def diamond():
    """a, b -> left = 2 a, right = 3 b, y = left right."""
    a, b = (tinyrnn.randn(3, requires_grad=True) for _ in "ab")
    left, right = a * 2, b * 3
    return a, b, left, right, left * right


def test_all_nodes_and_edges_below_a_result_are_found():
    a, b, left, right, y = diamond()
    nodes, edges = explore([y.edge])
    assert nodes == {y.node, left.node, right.node}
    assert edges == {y.edge, left.edge, right.edge, (a, 0), (b, 0)}
    assert explore([None]) == (set(), set())


def test_a_chain_of_100_000_nodes_is_walked_without_recursion():
    y = tinyrnn.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y * 1
    assert len(explore([y.edge])[0]) == 100_000


def test_nodes_that_lead_to_no_requested_input_are_told():
    a, b, left, right, y = diamond()
    assert leading_nowhere([y.edge], {(a, 0)}) == {right.node}
    assert leading_nowhere([y.edge], {(a, 0), (b, 0)}) == set()
    assert leading_nowhere([y.edge], {left.edge}) == {left.node, right.node}
    assert leading_nowhere([y.edge], {(tinyrnn.ones(1), 0)}) == {left.node, right.node, y.node}


def test_a_freed_node_is_refused_unless_it_is_requested_itself():
    left, y = diamond()[2::2]
    left.sum().backward()
    with pytest.raises(RuntimeError, match="a second time through 'mul'"):
        explore([y.edge])
    assert left.node in explore([y.edge], {left.edge})[0]


@pytest.mark.parametrize("changes", [0, 1, 3])
def test_a_change_of_a_saved_value_is_noticed(changes):
    x = tinyrnn.ones(2, requires_grad=True) * 1
    x.add_(1)  # before it is saved: the count then starts from 1
    y = x * x
    assert check_unchanged(y.node) is None
    for _ in range(changes):
        x.add_(1)
    if changes:
        with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
            check_unchanged(y.node)
    else:
        y.sum().backward()
        assert np.isfinite(x.array).all()
