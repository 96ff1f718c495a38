"""What is said of long work where no terminal shows a bar."""

from retouch.commands import terminal
from retouch.commands.terminal import Paced, progress


def test_a_log_is_told_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    with progress() as on_step:
        for second in range(35):
            now[0] = second
            on_step("frame", second / 100)
    assert capsys.readouterr().err.splitlines() == [
        f"retouch: frame, {second}%" for second in (10, 20, 30)
    ]


def test_what_is_quick_or_quiet_says_nothing(capsys):
    with progress() as on_step:
        on_step("inverting", 0.5)
    with progress(quiet=True) as on_step:
        on_step("inverting", 0.5)
    assert capsys.readouterr().err == ""


def test_every_line_is_said_if_the_pace_is_nothing(capsys):
    paced = Paced(pace=0)
    paced.say("1 of 2")
    paced.say("2 of 2")
    assert capsys.readouterr().err == "retouch: 1 of 2\nretouch: 2 of 2\n"
