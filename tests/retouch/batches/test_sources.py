"""Where photos come from, and which names their results get."""

import sys

import fsspec
import pytest

from retouch.batches.sources import find, read
from retouch.errors import DependencyError, PhotoError, SettingsError


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "deep/b.PNG", "deep/er/c.webp", "notes.md"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"any")
    return tmp_path / "photos"


def names(found):
    return [picture.name for picture in found.pictures]


def test_a_folder_keeps_its_structure_and_counts_what_is_no_picture(folder, tmp_path):
    found = find(str(folder), tmp_path / "out")
    assert names(found) == ["a.jpg", "deep/b.PNG", "deep/er/c.webp"]
    assert found.ignored == 1
    assert found.pictures[1].source == str(folder / "deep/b.PNG")


def test_results_inside_the_folder_are_not_worked_on_again(folder):
    (folder / "out").mkdir()
    (folder / "out" / "a.jpg").write_bytes(b"any")
    assert names(find(str(folder), folder / "out"))[0] == "a.jpg"
    assert len(find(str(folder), folder / "out").pictures) == 3


def test_a_pattern_keeps_what_lies_below_its_fixed_part(folder, tmp_path):
    assert names(find(f"{folder}/deep/**/*.webp", tmp_path / "out")) == ["er/c.webp"]


def test_one_photo_is_a_source_too(folder, tmp_path):
    assert names(find(str(folder / "a.jpg"), tmp_path / "out")) == ["a.jpg"]


def test_a_list_names_files_and_addresses(folder, tmp_path):
    listed = tmp_path / "list.txt"
    lines = "# mine", str(folder / "a.jpg"), "", "https://example.org/x/me.png?size=1"
    listed.write_text("\n".join(lines))
    first, second = find(str(listed), tmp_path / "out").pictures
    assert first.name == str(folder / "a.jpg").lstrip("/")
    assert second.name == "example.org/x/me.png"
    assert second.source == lines[3]


def test_a_list_does_not_lead_out_of_the_folder(tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("../../etc/me.png\n")
    assert names(find(str(listed), tmp_path / "out")) == ["etc/me.png"]


def test_an_address_of_another_file_system_is_listed_and_read(tmp_path):
    with fsspec.open("memory://bucket/in/me.png", "wb") as file:
        file.write(b"any")
    (picture,) = find("memory://bucket", tmp_path).pictures
    assert picture.name == "in/me.png" and read(picture.source) == b"any"


def test_the_stamp_changes_with_the_photo(folder, tmp_path):
    before = find(str(folder), tmp_path / "out").pictures[0]
    (folder / "a.jpg").write_bytes(b"something longer")
    after = find(str(folder), tmp_path / "out").pictures[0]
    assert before.name == after.name and before.stamp != after.stamp


def test_shuffling_is_told_by_the_seed(folder, tmp_path):
    for i in range(9):
        (folder / f"{i}.jpg").write_bytes(b"any")
    found = find(str(folder), tmp_path / "out")
    assert found.shuffled(1) == found.shuffled(1) != found
    assert sorted(names(found.shuffled(1))) == sorted(names(found))


@pytest.mark.parametrize(
    ("source", "kind", "word"),
    [
        ("absent", PhotoError, "check the name"),
        ("nothing/*.jpg", PhotoError, "no pictures"),
        ("nonsense://x", SettingsError, "no address"),
        ("gs://bucket/x", DependencyError, "package"),
    ],
)
def test_what_cannot_be_is_a_sentence(source, kind, word, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)  # as if it were not installed
    with pytest.raises(kind, match=word):
        find(source, tmp_path / "out")
