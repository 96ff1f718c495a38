"""The queue before the workers, without any worker."""

import asyncio
import contextlib

import pytest

from retouch.service.limits import Limits
from retouch.service.refusals import Refused
from retouch.service.worker_pool import WorkerPool


def pool(**limits):
    async def made():
        return WorkerPool("default", 1, Limits(**limits))

    return asyncio.run(made())


def test_more_than_the_queue_holds_is_told_to_come_again():
    few = pool(queue=2)
    with contextlib.ExitStack() as held:
        for _ in range(3):  # one that runs and two that wait
            held.enter_context(few.place())
        with pytest.raises(Refused, match="try again in") as refused, few.place():
            pass
        assert refused.value.status == 429
        assert int(refused.value.headers["Retry-After"]) >= 1
    with few.place():
        assert few.admitted == 1
    assert few.admitted == 0
