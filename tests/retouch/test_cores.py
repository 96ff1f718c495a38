import threading

import pytest

from retouch.cores import together


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
