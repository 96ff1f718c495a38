"""Rating by pairs."""

import json
import os
import sys
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from retouch.commands.rating_page import Page
from retouch.errors import SettingsError
from retouch.jobs import learning
from retouch.jobs.rating import START, Adults, Elo, Table


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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are texts")
def test_names_that_are_no_text_are_rated_and_learnt_from(tmp_path):
    folder, path = _folder(tmp_path / "photos"), tmp_path / "ratings.csv"
    odd = os.fsdecode(b"b\xffd.png")
    (folder / "1.png").rename(folder / odd)
    os.mkfifo(folder / "pipe.png")  # at which a reader would wait for ever
    table = Table.open(folder, path)
    assert sorted(table.elo.names) == sorted(["0.png", "2.png", "3.png", odd])
    table.elo.better(table.elo.names.index(odd), 0)
    table.save()
    assert Table.open(folder, path).elo.scores == pytest.approx(
        table.elo.scores, abs=0.1
    )
    assert folder / odd in [rating.file for rating in learning.table(path)]


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
    page = Page(table, 0, lambda path: path.name != "3.png")
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


def test_no_key_counts_twice_and_a_word_stands_until_photos_do(page):
    browsing = pytest.importorskip("tests.retouch.service.browsing")
    if browsing.CHROMIUM is None:
        pytest.skip("there is no chromium")
    looked = threading.Event()
    page.adult = lambda path: looked.wait(30)
    with browsing.chromium() as browser, browsing.page_of(browser, page.address) as tab:
        assert tab.text_content("#count").startswith("Looking for photos of adults")
        assert tab.locator("#pair").is_hidden()
        looked.set()
        tab.wait_for_selector("#pair img")
        tab.evaluate("right.onclick(); right.onclick(); right.onclick()")
        tab.wait_for_selector("#count >> text=1 of")
        tab.wait_for_timeout(300)
        assert tab.text_content("#count").startswith("1 of")
    assert sum(page.table.elo.seen) == 2


@pytest.mark.parametrize(("error", "told"), [(BrokenPipeError, 0), (ValueError, 1)])
def test_nothing_is_said_of_a_browser_that_went_on(page, capsys, error, told):
    try:
        raise error
    except error:
        page.handle_error(None, ("127.0.0.1", 1))
    assert capsys.readouterr().err.count("Traceback") == told


def test_photos_of_children_are_not_shown(page):
    shown = {i for _ in range(30) for i in json.loads(_ask(page, "/pair"))["pair"]}
    assert shown == {0, 1, 2} and page.table.elo.out == {3}


def test_an_answer_is_taken_back(page):
    before = page.table.elo.scores.copy()
    _ask(page, "/pair", {"better": 2, "worse": 1})
    told = json.loads(_ask(page, "/undo", {}))
    assert told["pair"] == [2, 1] and told["compared"] == 0
    assert page.table.elo.scores == pytest.approx(before)
    assert "2.png,1000.0,0" in page.table.path.read_text()
    assert len(json.loads(_ask(page, "/undo", {}))["pair"]) == 2  # nothing is left


def test_the_page_tells_how_many_comparisons_are_enough(page):
    while 3 not in page.table.elo.out:
        json.loads(_ask(page, "/pair"))
    told = json.loads(_ask(page, "/pair", {"better": 2, "worse": 1}))
    assert (told["compared"], told["enough"]) == (1, 9)


def test_a_folder_without_adults_is_answered_with_a_sentence(page):
    page.table.elo.out |= {0, 1, 2}
    told = json.loads(_ask(page, "/pair"))
    assert told["pair"] is None and "photos of adults" in told["note"]


@pytest.mark.slow
def test_adults_are_known_by_their_faces(retoucher, tmp_path):
    adults = Adults(retoucher)
    Image.fromarray(astronaut()).save(tmp_path / "me.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "nobody.png")
    assert adults(tmp_path / "me.png") and not adults(tmp_path / "nobody.png")


@pytest.mark.parametrize(
    ("path", "words", "headers", "status"),
    [
        ("/photo/../ratings.csv", None, {}, 404),
        ("/photo/9", None, {}, 404),
        ("/pair", {"better": 1, "worse": 1}, {}, 400),
        ("/pair", {"better": 1, "worse": 99}, {}, 400),
        ("/pair", [1], {}, 400),
        ("/undo", [1], {}, 400),
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
