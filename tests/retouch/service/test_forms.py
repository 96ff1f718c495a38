"""What clients send, read and refused."""

import pytest

from retouch.service.forms import (
    Delivery,
    Form,
    RenderJson,
    SettingsJson,
    checked,
    model_of,
    parsed,
    wanted,
)
from retouch.service.limits import Limits
from retouch.service.refusals import Refused
from retouch.settings import Settings


@pytest.mark.parametrize(
    ("accept", "kind", "format"),
    [
        (None, "picture", None),
        ("*/*", "picture", None),
        ("image/*", "picture", None),
        ("image/png", "picture", "PNG"),
        ("application/json", "json", None),
        ("text/html, application/json;q=0.9, */*;q=0.1", "json", None),
        ("application/json;q=0.1, image/webp", "picture", "WEBP"),
        ("application/x-ndjson", "lines", None),
    ],
)
def test_the_answer_is_what_is_accepted_most(accept, kind, format):
    assert wanted(accept) == (kind, format)


def test_what_has_no_picture_is_json_and_other_wishes_are_406():
    assert wanted("*/*", pictures=False).kind == "json"
    for accept, pictures in (("text/html", True), ("image/png", False)):
        with pytest.raises(Refused) as refused:
            wanted(accept, pictures)
        assert refused.value.status == 406


def test_settings_of_json_are_the_settings_of_everything_else():
    assert Settings(**checked(parsed(SettingsJson, "{}"), "default")) == Settings()
    given = parsed(SettingsJson, '{"strength": 2, "faces": "largest"}')
    assert Settings(**checked(given, "default")).strength == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"strength": 9}', "strength: .* less than or equal to 3"),
        ('{"strength": "1"}', "strength: .* valid number"),
        ('{"strength": NaN}', "strength: "),
        ('{"steps": true}', "steps: "),
        ('{"colour": 1}', "colour: "),
        ('{"stitch": "glue"}', "stitch: "),
        ("[1]", "The JSON: "),
        ("{", "The JSON: "),
    ],
)
def test_settings_that_cannot_be_are_a_sentence(text, sentence):
    with pytest.raises(Refused, match=sentence) as refused:
        parsed(SettingsJson, text)
    assert refused.value.status == 422 and "\n" not in refused.value.sentence


def test_another_model_than_the_one_that_runs_is_refused():
    with pytest.raises(Refused, match="runs the model 'mine'"):
        checked(parsed(SettingsJson, '{"model": "default"}'), "mine")
    assert checked(parsed(SettingsJson, "{}"), "mine")["model"] == "mine"


def test_every_option_has_its_limits_and_help_in_the_schema():
    schema = model_of(Limits).model_json_schema()["properties"]
    assert schema["queue"]["minimum"] == 0 and schema["queue"]["description"]
    assert set(schema) == set(Limits.__dataclass_fields__)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "holds no picture"),
        (b"GIF89a", "is a GIF"),
        (b"%PDF-1.7", "is a PDF"),
        (b"x", "holds no picture"),
    ],
)
def test_what_is_no_photo_is_415_by_its_first_bytes(data, what):
    with pytest.raises(Refused, match=f"The file 'me' {what}") as refused:
        Form({"photo": data}, {}, {"photo": "me"}).photo()
    assert refused.value.status == 415


def test_an_empty_file_is_told_by_the_name_that_its_user_gave_it():
    with pytest.raises(Refused, match=r"'me\.jpg' is empty") as refused:
        Form({"photo": b""}, {}, {"photo": "me.jpg"}).photo()
    assert refused.value.status == 415


def test_a_form_without_a_photo_or_moves_is_422():
    for ask in (Form({}, {}).photo, Form({}, {}).moves):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.status == 422
    assert Form({}, {"moves": '{"smile": 1}'}).moves() == {"smile": 1}
    assert Form({}, {}).delivery() == Delivery()


def test_what_is_wished_of_latents_is_bounded():
    for wrong in ('{"id": "a", "beautify": 4}', '{"id": "a", "moves": {"smile": 99}}'):
        with pytest.raises(Refused):
            parsed(RenderJson, wrong)
    assert parsed(RenderJson, '{"id": "a"}').preview is False
