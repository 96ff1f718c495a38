import pytest
from PIL import Image
from typer.testing import CliRunner

import cli
from retouch.commands.transfer import listed, pictures
from retouch.errors import PhotoError, SettingsError


def refused(*arguments):
    """Return the sentence with which a command is refused."""
    result = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert result.exit_code != 0
    return str(result.exception)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), "gray").save(path)
    return path


def test_alpha_out_of_range_is_refused(photo):
    said = refused("transfer", photo, photo, "--alpha", "7")
    assert "alpha must lie in [0, 2]; got 7" in said


def test_a_range_beyond_the_limits_is_refused_before_any_work(photo, tmp_path):
    out = tmp_path / "out"
    said = refused("transfer", photo, photo, "--range", "alpha=0:9:3", "--out", out)
    assert "alpha must lie in [0, 2]; got 4.5" in said
    assert not out.exists()


def test_a_folder_with_files_is_not_written_over(photo, tmp_path):
    span = ["--range", "alpha=0:1:3"]
    said = refused("transfer", photo, photo, *span, "--out", tmp_path)
    assert "holds files already" in said
    said = refused("transfer", photo, photo, *span, "--out", photo)
    assert "is a file" in said


def test_folders_of_neutral_pictures_are_opened(photo, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    assert pictures([str(tmp_path)], ["more.jpg"]) == [str(photo), "more.jpg"]
    with pytest.raises(SettingsError, match="behind --neutral"):
        pictures(None, ["stray.jpg"])


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(PhotoError, match="holds no pictures"):
        listed(tmp_path)
    with pytest.raises(PhotoError, match="There is no folder"):
        listed(tmp_path / "none")
    assert "holds no pictures" in refused("mean", tmp_path)
    assert "There is no folder" in refused("evaluate", "edits", tmp_path / "none")


def test_tables_are_not_written_over(tmp_path):
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "summary.json").write_text("{}")
    said = refused("evaluate", "transfers", tmp_path)
    assert "summary.json already" in said
    assert (tmp_path / "evaluation" / "summary.json").read_text() == "{}"


def test_a_photo_without_a_face_is_named(photo, tmp_path):
    out = tmp_path / "out.png"
    said = refused("transfer", photo, photo, "--out", out, "--model", "glow")
    assert f"The source '{photo}': No face was found" in said
    assert not out.exists()


def test_a_mean_face_lies_beside_its_folder_not_in_it(tmp_path, monkeypatch):
    folder = tmp_path / "anna"
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "one.png")
    beside = tmp_path / "anna-mean.png"
    beside.write_bytes(b"another")
    assert f"'{beside}'" in refused("mean", folder)
    monkeypatch.chdir(folder)
    assert "anna-mean.png'" in refused("mean", ".")
    assert [p.name for p in folder.iterdir()] == ["one.png"]
