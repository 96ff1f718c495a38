import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from retouch.cores import one_thread, together


def test_results_come_in_the_order_of_the_items():
    assert together(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert together(lambda n: n, []) == []


def test_what_is_done_together_may_do_its_parts_together():
    def sums(n):
        return sum(together(lambda i: i + n, range(10)))

    rows = together(lambda n: together(sums, range(n, n + 5)), range(20))
    assert rows[3] == [45 + 10 * n for n in range(3, 8)]


def test_who_is_told_one_thread_works_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = set(together(lambda n: threading.get_ident(), range(50)))
    assert threads == {threading.get_ident()}


def test_an_error_of_any_item_is_raised_and_the_next_work_is_done():
    def refuse(n):
        if n == 7:
            raise ValueError("seven")
        return n

    for _ in range(20):
        with pytest.raises(ValueError, match="seven"):
            together(refuse, range(8))
    assert together(lambda n: -n, range(3)) == [0, -1, -2]


def test_many_threads_may_call_at_once():
    found = {}

    def call(number):
        found[number] = together(lambda n: n + number, range(30))

    threads = [threading.Thread(target=call, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {n: [n + i for i in range(30)] for n in range(8)}


def blas_threads():
    return {
        lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"
    }


@pytest.fixture
def two_for_products(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    with threadpool_limits(2, "blas"):
        yield


def test_products_take_one_thread_until_the_last_at_work_is_done(two_for_products):
    first, second = one_thread(), one_thread()
    with first:
        second.__enter__()
        assert blas_threads() == {1}
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == {2}
    with pytest.raises(ValueError), one_thread():
        raise ValueError
    assert blas_threads() == {2}


def test_products_take_the_threads_that_the_user_tells(two_for_products, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with one_thread():
        assert blas_threads() == {2}
