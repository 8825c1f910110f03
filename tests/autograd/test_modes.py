"""no_grad, enable_grad and set_grad_enabled: as contexts and decorators, nested, after exceptions, in each thread."""

import threading

import pytest

import tinyrnn
from tinyrnn.autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

MODES = {
    "no_grad": (no_grad, False),
    "inference_mode": (tinyrnn.inference_mode, False),
    "enable_grad": (enable_grad, True),
    "set_grad_enabled(False)": (lambda: set_grad_enabled(False), False),
    "set_grad_enabled(True)": (lambda: set_grad_enabled(True), True),
}
EVERY_MODE = pytest.mark.parametrize(("mode", "inside"), MODES.values(), ids=MODES)
EVERY_OUTSIDE = pytest.mark.parametrize("outside", [True, False])


def recorded():
    """Whether an operation is recorded just now, as opposed to what is_grad_enabled says."""
    return (tinyrnn.ones(2, requires_grad=True) * 2).requires_grad


@EVERY_MODE
@EVERY_OUTSIDE
def test_a_mode_holds_inside_and_not_after(mode, inside, outside):
    with set_grad_enabled(outside):
        with mode():
            assert is_grad_enabled() is recorded() is inside
        assert is_grad_enabled() is recorded() is outside


@EVERY_MODE
@EVERY_OUTSIDE
def test_a_mode_is_left_by_an_exception_too(mode, inside, outside):
    found = []

    def fail():
        with mode():
            found.append(is_grad_enabled())
            raise KeyError

    with set_grad_enabled(outside):
        with pytest.raises(KeyError):
            fail()
        assert is_grad_enabled() is outside
    assert found == [inside]


@EVERY_MODE
@EVERY_OUTSIDE
def test_a_mode_decorates_a_function_and_holds_in_each_of_its_calls(mode, inside, outside):
    with set_grad_enabled(outside):

        @mode()
        def f(fail=False):
            """What f does."""
            if fail:
                raise KeyError
            return is_grad_enabled()

        assert is_grad_enabled() is outside, "to decorate a function is not to call it"
        for _ in range(3):
            assert f() is inside
            assert is_grad_enabled() is outside
        with pytest.raises(KeyError):
            f(fail=True)
        assert is_grad_enabled() is outside
        assert f() is inside
    assert (f.__name__, f.__doc__) == ("f", "What f does.")


def test_modes_nest_to_any_depth():
    found = []
    with no_grad():
        found.append(is_grad_enabled())
        with enable_grad():
            found.append(is_grad_enabled())
            with no_grad(), no_grad():
                found.append(is_grad_enabled())
            found.append(is_grad_enabled())
            with set_grad_enabled(False):
                found.append(is_grad_enabled())
            found.append(is_grad_enabled())
        found.append(is_grad_enabled())
    assert found == [False, True, False, True, False, True, False]


@EVERY_MODE
def test_a_decorated_function_may_call_itself_and_be_called_from_the_other_mode(mode, inside):
    @mode()
    def f(depth):
        assert is_grad_enabled() is inside
        with set_grad_enabled(not inside):
            if depth:
                f(depth - 1)
            assert is_grad_enabled() is not inside
        assert is_grad_enabled() is inside

    for outside in (True, False, True):
        with set_grad_enabled(outside):
            f(3)
            assert is_grad_enabled() is outside


@EVERY_MODE
def test_one_context_object_may_be_entered_again(mode, inside):
    context = mode()
    set_grad_enabled(True)  # set_grad_enabled(False) has turned recording off already
    for _ in range(3):
        with context:
            assert is_grad_enabled() is inside
        assert is_grad_enabled()


@pytest.mark.parametrize("context", [no_grad, enable_grad])
def test_one_context_object_may_be_entered_while_it_is_open(context):
    context = context()
    with no_grad():
        with context, enable_grad(), context:
            pass
        assert not is_grad_enabled()
        with context, enable_grad():
            with context:
                pass
            assert is_grad_enabled()
        assert not is_grad_enabled()


def test_set_grad_enabled_holds_at_once_and_until_the_end_of_its_block():
    try:
        set_grad_enabled(False)
        assert not is_grad_enabled()
        context = set_grad_enabled(True)
        assert is_grad_enabled()
        with context:
            assert is_grad_enabled()
        assert not is_grad_enabled()
    finally:
        set_grad_enabled(True)
    assert is_grad_enabled()


def test_a_generator_decorated_with_no_grad_runs_with_recording_off_between_its_yields_only():
    @no_grad()
    def numbers():
        for _ in range(2):
            yield is_grad_enabled()

    found = []
    for inside in numbers():
        found += [inside, is_grad_enabled()]
    assert found == [False, True, False, True]


def test_a_new_thread_records_whatever_the_thread_that_started_it_does():
    found = {}

    def work():
        found["at first"] = is_grad_enabled()
        set_grad_enabled(False)
        found["then"] = recorded()

    with no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert not is_grad_enabled()
    assert found == {"at first": True, "then": False}
    assert is_grad_enabled(), "what a thread does to its own mode is not seen here"


def test_threads_that_are_in_one_decorated_function_at_the_same_time_keep_their_own_modes():
    """The first to come is the first to leave: a stack that both used would give each the other's mode."""
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
    found = {}

    @no_grad()
    def body(is_in, may_leave):
        is_in.set()
        assert may_leave.wait(10)

    def first():
        body(first_is_in, second_is_in)
        found["first"] = is_grad_enabled()
        first_is_out.set()

    @no_grad()
    def second():
        assert first_is_in.wait(10)
        body(second_is_in, first_is_out)
        found["second"] = is_grad_enabled()

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"first": True, "second": False}


def test_under_no_grad_nothing_is_kept_and_leaves_may_be_changed_in_place():
    w = tinyrnn.ones(3, requires_grad=True)
    with no_grad():
        y = (w * 2).tanh()
        w -= 0.5
        w[0] = 7
    assert (y.requires_grad, y.grad_fn) == (False, None)
    assert w.tolist() == [7, 0.5, 0.5]
    assert w.requires_grad
    assert w.is_leaf
    (w * w).sum().backward()
    assert w.grad.tolist() == [14, 1, 1]


def test_a_parameter_made_under_no_grad_still_asks_for_a_gradient():
    with no_grad():
        w = tinyrnn.ones(3, requires_grad=True)
    assert w.requires_grad
    (w * 2).sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_recording_may_be_turned_on_in_the_middle_of_what_is_not_recorded():
    w = tinyrnn.ones(3, requires_grad=True)
    with no_grad():
        h = w * 2
        with enable_grad():
            y = h * w
    y.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode", "enable_grad"])
def test_every_mode_decorates_with_and_without_a_call(torch, mode):
    for m in (tinyrnn, torch):
        x = m.ones(2, requires_grad=True)
        switch = getattr(m, mode)

        @switch
        def bare(x):
            """Doubles."""
            return x * 2

        @switch()
        def called(x):
            """Doubles."""
            return x * 2

        @switch()
        def steps(x):
            yield x * 2
            yield x * 3

        for function in (bare, called):
            assert function.__doc__ == "Doubles."
            with m.no_grad():
                assert function(x).requires_grad is (mode == "enable_grad")
            assert function(x).requires_grad is (mode == "enable_grad")
        assert [y.requires_grad for y in steps(x)] == [mode == "enable_grad"] * 2
        with switch():
            assert (x * 2).requires_grad is (mode == "enable_grad")
        assert (x * 2).requires_grad


def test_inference_mode_takes_its_mode(torch):
    for m in (tinyrnn, torch):
        x = m.ones(2, requires_grad=True)
        with m.inference_mode():
            assert not (x * 2).requires_grad
            with m.inference_mode(mode=False):
                assert (x * 2).requires_grad
        with m.inference_mode(False), m.no_grad():
            assert not (x * 2).requires_grad


def test_what_inference_mode_made_may_be_used_with_a_gradient():
    with tinyrnn.inference_mode():
        y = tinyrnn.ones(2) * 2
    x = tinyrnn.ones(2, requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.tolist() == [2, 2]
