"""The folder of results holds whole files, and one row a picture."""

import json

import pytest

from retouch.batches.job import Done
from retouch.batches.store import Store
from retouch.errors import PhotoError


def done(name, data=b"x", **more):
    row = {"picture": name, "ok": True, "out": [name], **more}
    return Done(name, {name: data}, row)


def report(folder):
    text = (folder / "report.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def everything(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_files_come_first_and_then_their_row(tmp_path):
    with Store(tmp_path / "out") as store:
        store.keep(done("deep/a.png", b"first"))
        assert [row["picture"] for row in store.rows()] == ["deep/a.png"]
    assert (tmp_path / "out/deep/a.png").read_bytes() == b"first"
    assert everything(tmp_path / "out") == ["deep/a.png", "report.jsonl"]


def test_a_picture_done_again_has_one_row(tmp_path):
    for number in range(3):
        with Store(tmp_path) as store:
            store.keep(done("b.png", number=number))
            store.keep(done("a.png", number=number))
    rows = report(tmp_path)
    assert [(r["picture"], r["number"]) for r in rows] == [("b.png", 2), ("a.png", 2)]


def test_what_a_kill_leaves_is_cleared(tmp_path):
    with Store(tmp_path) as store:
        store.keep(done("a.png"))
    whole = (tmp_path / "report.jsonl").read_bytes()
    (tmp_path / "report.jsonl").write_bytes(whole + b'{"picture": "b.p')
    (tmp_path / ".retouch-unfinished").mkdir()
    (tmp_path / ".retouch-unfinished" / "file").write_bytes(b"half")
    with Store(tmp_path) as store:
        assert [row["picture"] for row in store.rows()] == ["a.png"]
        store.keep(done("b.png"))
    assert [r["picture"] for r in report(tmp_path)] == ["a.png", "b.png"]
    assert everything(tmp_path) == ["a.png", "b.png", "report.jsonl"]


def test_a_row_cut_before_its_newline_is_kept_whole(tmp_path):
    with Store(tmp_path) as store:
        store.keep(done("a.png"))
    whole = (tmp_path / "report.jsonl").read_bytes()
    (tmp_path / "report.jsonl").write_bytes(whole[:-1])
    with Store(tmp_path) as store:
        store.keep(done("b.png"))
    assert [r["picture"] for r in report(tmp_path)] == ["a.png", "b.png"]


def test_a_second_batch_in_the_same_folder_is_refused(tmp_path):
    with Store(tmp_path), pytest.raises(PhotoError, match="Another batch"):
        Store(tmp_path)
    with Store(tmp_path):
        pass


def test_a_folder_with_other_files_is_left_alone_unless_forced(tmp_path):
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(PhotoError, match="--force"):
        Store(tmp_path)
    assert everything(tmp_path) == ["a.png"]
    with Store(tmp_path, force=True) as store:
        store.keep(done("b.png"))
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_a_damaged_line_is_a_sentence_and_nothing_is_lost(tmp_path):
    text = '{"picture": "a.png", "ok": true}\nno row\n'
    (tmp_path / "report.jsonl").write_text(text)
    with pytest.raises(PhotoError, match="Line 2"):
        Store(tmp_path)
    assert (tmp_path / "report.jsonl").read_text() == text


def test_a_result_that_was_removed_is_known_to_be_missing(tmp_path):
    with Store(tmp_path) as store:
        store.keep(done("a.png"))
        (row,) = store.rows()
        assert store.holds(row)
        (tmp_path / "a.png").unlink()
        assert not store.holds(row)
