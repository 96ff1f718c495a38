"""The log has an end, however many lines are told."""

import logging

from retouch.service.logs import Bounded


def test_a_minute_has_so_many_lines_and_the_next_tells_of_the_others(caplog):
    clock = [0.0]
    bounded, log = Bounded(10, lambda: clock[0]), logging.getLogger("flooded")
    caplog.handler.addFilter(bounded)
    try:
        with caplog.at_level(logging.INFO, logger="flooded"):
            for i in range(5000):
                log.info("line %d", i)
            assert len(caplog.messages) == 10
            clock[0] = 61.0
            log.info("after %s", "that")
            log.info("and so on")
    finally:
        caplog.handler.removeFilter(bounded)
    assert caplog.messages[10:] == [
        "(4990 lines were left out) after that",
        "and so on",
    ]
