"""Masks, boxes and formats as people have them, over HTTP."""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from tests.support.photo_files import noise, saved, smooth
from tests.support.running_server import running

from regionwise.photos.formats import FORMATS
from regionwise.photos.reading import read_photo
from regionwise.photos.writing import encode_photo
from regionwise.web.settings import ServerSettings

HEIGHT, WIDTH = 70, 90
HOLE = np.zeros((HEIGHT, WIDTH), bool)
HOLE[10:30, 20:50] = True


@pytest.fixture(scope="module")
def client():
    with running(ServerSettings(model="membrane")) as client:
        yield client


def png(pixels):
    return saved(Image.fromarray(pixels), "PNG")


PHOTO = png(smooth(HEIGHT, WIDTH))


def changed(before, after):
    return (read_photo(before).color != read_photo(after).color).any(axis=2)


@pytest.mark.parametrize(
    "mask",
    [
        png(HOLE.astype(np.uint8)),
        png(np.where(HOLE[..., None], (255, 0, 0), 0).astype(np.uint8)),
        png(np.dstack([np.zeros((HEIGHT, WIDTH, 3), np.uint8), HOLE * np.uint8(255)])),
        png(np.where(HOLE[..., None], 255, smooth(HEIGHT, WIDTH)).astype(np.uint8)),
    ],
    ids=["labels", "red strokes", "black on nothing", "a copy with paint"],
)
def test_masks_of_people_s_tools_are_read_and_the_guess_is_told(client, mask):
    files = {"photo": ("a.png", PHOTO), "mask": ("m.png", mask)}
    answer = client.post("/api/v1/fill", files=files)
    assert answer.status_code == 200, answer.text
    assert np.array_equal(changed(PHOTO, answer.content), HOLE)
    assert "filled" in unquote(answer.headers["X-Regionwise-Warning"])


def test_a_reading_can_be_forced(client):
    mask = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    mask[:9] = (0, 255, 0)
    mask[HOLE] = (255, 0, 0)
    files = {"photo": ("a.png", PHOTO), "mask": ("m.png", png(mask))}
    answer = client.post("/api/v1/fill", files=files, data={"mask_from": "color=#ff0000"})
    assert np.array_equal(changed(PHOTO, answer.content), HOLE)
    answer = client.post("/api/v1/fill", files=files, data={"mask_from": "magic"})
    assert answer.status_code == 422


@pytest.mark.parametrize("boxes", [["1,2,3,4", "-9,-8,4,5"], ["1,2,3,4;-9,-8,4,5"]])
def test_several_boxes(client, boxes):
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[2:6, 1:4] = expected[62:67, 81:85] = True
    files = [("photo", ("a.png", PHOTO))]
    answer = client.post("/api/v1/fill", files=files, data={"box": boxes})
    assert answer.status_code == 200, answer.text
    assert np.array_equal(changed(PHOTO, answer.content), expected)


def test_other_fields_given_twice_are_refused(client):
    files = {"photo": ("a.png", PHOTO)}
    answer = client.post("/api/v1/fill", files=files, data={"box": "1,2,3,4", "grow": ["1", "2"]})
    assert answer.status_code == 400
    assert "'grow' twice" in answer.json()["error"]


def test_answers_name_fields_and_no_flags(client):
    files = {"photo": ("a.png", PHOTO), "mask": ("m.png", png(np.full((7, 9), 255, np.uint8)))}
    error = client.post("/api/v1/fill", files=files).json()["error"]
    assert "resize_mask" in error
    assert "--" not in error


def test_an_animation_is_refused_as_such(client):
    frames = [Image.fromarray(noise("L", 9, 9, seed)) for seed in range(3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    answer = client.post("/api/v1/fill", files={"photo": ("a.gif", data)}, data={"box": "1,1,3,3"})
    assert answer.status_code == 422
    assert "holds 3 pictures" in answer.json()["error"]


@pytest.mark.parametrize("one", [one for one in FORMATS if one.lacks is None], ids=lambda o: o.name)
def test_every_format_comes_back_as_itself(client, one):
    data = encode_photo(read_photo(smooth(HEIGHT, WIDTH)), one.name)
    answer = client.post("/api/v1/fill", files={"photo": ("a", data)}, data={"box": "5,5,9,9"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == one.media_type
    assert read_photo(answer.content).format == one.name
