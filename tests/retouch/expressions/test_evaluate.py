import csv
import io
import json
import stat
import sys

import numpy as np
import pytest
import skimage.data
from PIL import Image

from retouch.errors import DependencyError, FaceError, SettingsError
from retouch.expressions import openface
from retouch.expressions.assess import TRUSTED, Assessor, Measures
from retouch.expressions.evaluate import (
    Evaluation,
    pairs,
    summary,
    table,
    transfers,
    unit_table,
)
from retouch.photos.charts import Panel, draw
from scorers.action_units import NAMES


@pytest.fixture(scope="module")
def assessor():
    return Assessor()


@pytest.fixture(scope="module")
def portrait():
    return Image.fromarray(skimage.data.astronaut()).crop((100, 0, 400, 300))


def seen(**parts):
    own = {
        "descriptor": np.zeros(128, np.float32),
        "facenet": None,
        "units": dict.fromkeys(NAMES, 1.0),
        "trusted": dict.fromkeys(TRUSTED, 1.0),
        "pose": (0.0, 0.0, 0.0),
        "happy": 0.0,
        "sharpness": 1.0,
    }
    return Measures(**(own | parts))


def test_pairs_are_measured_against_one_another(assessor, portrait, tmp_path):
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        portrait.save(tmp_path / name / "same.png")
        portrait.save(tmp_path / name / "soft.png")
    small = portrait.resize((75, 75)).resize(portrait.size)
    small.save(tmp_path / "after/soft.png")
    found = pairs(assessor, tmp_path)
    same, soft = found.rows
    assert same["identity_target"] < 0.05 and same["agreement_target"] > 0.99
    assert same["psnr"] == 100
    assert soft["identity_target"] > same["identity_target"]
    assert soft["sharpness_target"] < 0.8 < 0.95 < same["sharpness_target"]
    assert len(found.units) == 4


def test_transfers_are_measured_against_both_ends(assessor, portrait, tmp_path):
    for name in ("a.png", "b.png", "b_a_0.5.png"):
        portrait.save(tmp_path / name)
    record = {"source": "a.png", "target": "b.png", "source_face": 0, "target_face": 0}
    made = {"model": "m", "method": "auto"}
    outputs = {"outputs": [{"alpha": 0.5, "file": "b_a_0.5.png"}]}
    (tmp_path / "transfer.json").write_text(json.dumps(record | made | outputs))
    found = transfers(assessor, tmp_path)
    assert found.rows[0]["identity_source"] < 0.05
    columns = table(found.distances).decode().splitlines()[0]
    assert columns == "output_images,0.5,source,target"
    rows = list(csv.DictReader(io.StringIO(unit_table(found).decode())))
    assert list(rows[0]) == ["filename", *(f"{name}_r" for name in NAMES)]
    assert summary(found)["alphas"][0]["alpha"] == 0.5


def with_units(**units):
    every = dict.fromkeys(NAMES, 1.0) | units
    bounded = {name: max(value, 0.0) for name, value in every.items()}
    return seen(units=bounded, trusted={name: every[name] for name in TRUSTED})


def test_agreement_is_one_less_the_mean_gap_of_trusted_units_in_fives():
    assert seen().agreement(seen()) == 1
    other = with_units(AU12=3.5, AU04=5.0)
    assert seen().agreement(other) == pytest.approx(1 - 2.5 / len(TRUSTED) / 5)
    assert seen(pose=(3.0, 0.0, 0.0)).turned(seen(pose=(0.0, -4.0, 0.0))) == 4
    assert seen().facenet_distance(seen()) is None


def test_the_part_of_the_way_to_an_expression_is_a_projection():
    start, end = seen(), with_units(AU12=5.0, AU06=3.0)
    assert start.gone(start, end) == 0 and end.gone(start, end) == 1
    half = with_units(AU12=3.0, AU06=2.0)
    assert half.gone(start, end) == pytest.approx(0.5)
    beside = with_units(AU25=4.0, AU04=0.0)  # across the way, or not trusted
    assert beside.gone(start, end) == 0
    assert half.gone(start, with_units(AU12=1.5)) is None
    low, less, glad = (with_units(AU12=v) for v in (-4.0, -1.0, 2.0))
    assert less.units == low.units and less.gone(low, glad) == pytest.approx(0.5)


def test_means_are_of_the_rows_that_have_a_number():
    rows = [{"file": "a", "gone": 0.5, "sum": 1.0}, {"file": "b", "sum": 2.0}]
    assert summary(Evaluation(rows, [])) == {
        "outputs": 2,
        "mean": {"gone": 0.5, "sum": 1.5},
    }


def test_a_folder_without_what_is_wanted_is_refused(assessor, tmp_path):
    with pytest.raises(SettingsError, match="There is no folder"):
        transfers(assessor, tmp_path / "none")
    with pytest.raises(SettingsError, match="holds no transfers"):
        transfers(assessor, tmp_path)
    with pytest.raises(SettingsError, match="holds no pairs"):
        pairs(assessor, tmp_path)
    (tmp_path / "transfer.json").write_text('{"source": "a.png"}')
    with pytest.raises(SettingsError, match="it lacks target"):
        transfers(assessor, tmp_path)


def test_a_picture_without_a_face_is_named(assessor, tmp_path):
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (120, 120), "gray").save(tmp_path / name / "x.png")
    with pytest.raises(FaceError, match=r"x\.png' shows no face, which"):
        pairs(assessor, tmp_path)


OPENFACE = """#!{python}
import sys
out = sys.argv[sys.argv.index("-out_dir") + 1]
with open(out + "/face.csv", "w") as file:
    file.write("face, AU01_r, AU12_r, AU12_c\\n0, 0.25, 3.10, 1\\n")
sys.exit({code})
"""


def program(folder, code):
    path = folder / openface.PROGRAM
    path.write_text(OPENFACE.format(python=sys.executable, code=code))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_openface_is_asked_where_it_is_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not openface.available()
    program(tmp_path, 0)
    assert openface.available()
    told = openface.action_units(np.zeros((8, 8, 3), np.uint8))
    assert told == {"AU01": 0.25, "AU12": 3.1}


def test_an_openface_that_fails_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, 3)
    with pytest.raises(DependencyError, match="FeatureExtraction failed"):
        openface.action_units(np.zeros((8, 8, 3), np.uint8))


def test_a_chart_draws_its_lines_in_their_panels():
    rising = Panel("identity", "alpha", {"to target": [(0.3, 0.1), (0.5, 0.4)]})
    image = draw([rising, rising])
    half = image.shape[1] // 2
    assert (image[:, :half] == image[:, half:]).all()
    red = (image[..., 0] > 180) & (image[..., 1] < 90)
    rows, columns = np.nonzero(red[:270, :half])
    assert rows[columns.argmin()] > rows[columns.argmax()]
