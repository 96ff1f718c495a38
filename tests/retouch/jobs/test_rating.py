"""Rating by pairs."""

import json
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

from retouch.commands.rating_page import Page
from retouch.errors import SettingsError
from retouch.jobs.rating import START, Elo, Table


def _folder(path, count=4):
    path.mkdir(exist_ok=True)
    for i in range(count):
        Image.new("RGB", (40, 30), (60 * i, 10, 10)).save(path / f"{i}.png")
    return path


def test_comparisons_find_the_order():
    rng, elo = np.random.default_rng(0), Elo([str(i) for i in range(12)])
    for _ in range(300):
        a, b = elo.pair(rng)
        assert a != b
        elo.better(max(a, b), min(a, b))
    ranks = np.argsort(np.argsort(elo.scores))
    assert np.corrcoef(ranks, np.arange(12))[0, 1] > 0.95
    assert min(elo.seen) >= 25


def test_points_are_only_handed_over():
    elo = Elo(["a", "b", "c"])
    elo.better(0, 1)
    elo.better(2, 1)
    assert sum(elo.scores) == pytest.approx(3 * START, abs=1e-6)
    assert elo.scores[0] > START > elo.scores[1]


def test_a_table_goes_on_where_it_was_left(tmp_path):
    folder, path = _folder(tmp_path / "photos"), tmp_path / "ratings.csv"
    table = Table.open(folder, path)
    table.elo.better(1, 2)
    table.save()
    assert "photos/1.png,1024.0,1" in path.read_text()
    again = Table.open(folder, path)
    assert again.elo.scores == pytest.approx(table.elo.scores, abs=0.1)
    assert again.elo.seen == table.elo.seen


def test_a_foreign_table_is_not_overwritten(tmp_path):
    folder, path = _folder(tmp_path / "photos"), tmp_path / "own.csv"
    path.write_text("something,else\n1,2\n")
    with pytest.raises(SettingsError, match="no table of this command"):
        Table.open(folder, path)


def test_pairs_need_three_photos(tmp_path):
    with pytest.raises(SettingsError, match="holds 2 photos"):
        Table.open(_folder(tmp_path / "photos", 2), tmp_path / "ratings.csv")


@pytest.fixture
def page(tmp_path):
    table = Table.open(_folder(tmp_path / "photos"), tmp_path / "ratings.csv")
    page = Page(table, 0)
    thread = threading.Thread(target=page.serve_forever)
    thread.start()
    yield page
    page.shutdown()
    thread.join()
    page.server_close()


def _ask(page, path, words=None, **headers):
    data = None if words is None else json.dumps(words).encode()
    kind = {"content-type": "application/json"} if words is not None else {}
    request = urllib.request.Request(
        page.address.rstrip("/") + path, data, {**kind, **headers}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def test_the_page_shows_pairs_and_keeps_answers(page):
    assert b"Which is better" in _ask(page, "/")
    first, second = json.loads(_ask(page, "/pair"))["pair"]
    assert _ask(page, f"/photo/{first}").startswith(b"\xff\xd8")
    told = json.loads(_ask(page, "/pair", {"better": second, "worse": first}))
    assert told["compared"] == 1
    assert f"{second}.png,1024.0,1" in page.table.path.read_text()


@pytest.mark.parametrize(
    ("path", "words", "headers", "status"),
    [
        ("/photo/../ratings.csv", None, {}, 404),
        ("/photo/9", None, {}, 404),
        ("/pair", {"better": 1, "worse": 1}, {}, 400),
        ("/pair", {"better": 1, "worse": 99}, {}, 400),
        ("/pair", [1], {}, 400),
        ("/pair", {"better": 0, "worse": 1}, {"content-type": "text/plain"}, 400),
        ("/", None, {"host": "elsewhere.example"}, 403),
    ],
)
def test_the_page_answers_nothing_else(page, path, words, headers, status):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        _ask(page, path, words, **headers)
    assert refusal.value.code == status
    refusal.value.close()
    assert sum(page.table.elo.seen) == 0
