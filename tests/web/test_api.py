"""The API: what comes back is what Python gives, and the rest of the photo is untouched."""

import io
import json
import re
import zipfile
from dataclasses import fields

import numpy as np
import pytest
from PIL import Image
from tests.support.photo_files import SRGB, decoded, exif_of, file_of, noise, saved, smooth
from tests.support.pictures import open_picture
from tests.support.running_server import running

import regionwise
from regionwise.engines.words import WORDS
from regionwise.errors import RegionwiseWarning
from regionwise.filling.options import FillOptions, choices_of, option_of
from regionwise.photos.reading import read_photo
from regionwise.web import jobs
from regionwise.web.messages import StatelessFill
from regionwise.web.settings import ServerSettings

HEIGHT, WIDTH = 70, 90


def mask_of(height=HEIGHT, width=WIDTH, box=(20, 10, 30, 25)):
    mask = np.zeros((height, width), bool)
    x, y, across, down = box
    mask[y : y + down, x : x + across] = True
    return mask


def png_of(mask):
    return saved(Image.fromarray(mask), "PNG")


def jpeg(orientation=6):
    image = Image.fromarray(smooth(HEIGHT, WIDTH))
    exif = exif_of(orientation)
    return saved(image, "JPEG", quality=91, exif=exif, icc_profile=SRGB, subsampling=2)


def photos():
    return {
        "16-bit PNG": file_of("PNG", "RGB16", noise("RGB16", HEIGHT, WIDTH), 1),
        "oriented JPEG with ICC": jpeg(),
        "RGBA WebP": file_of("WEBP", "RGBA", noise("RGBA", HEIGHT, WIDTH), 1),
        "grey TIFF": file_of("TIFF", "L", noise("L", HEIGHT, WIDTH), 3),
        "palette PNG": file_of("PNG", "P", noise("P", HEIGHT, WIDTH), 1),
        "BMP": file_of("BMP", "RGB", noise("RGB", HEIGHT, WIDTH), 1),
    }


def upright_mask(data):
    photo = read_photo(data)
    return mask_of(photo.height, photo.width)


def send(client, data, name="photo.png"):
    answer = client.post("/api/v1/photos", files={"photo": (name, data)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def fill_stored(client, identity, mask=None, **options):
    files = {"mask": ("mask.png", mask)} if mask is not None else {"none": ("", b"")}
    answer = client.post(f"/api/v1/photos/{identity}/fills", files=files, data=options)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


class TestFill:
    @pytest.mark.parametrize("kind", photos())
    def test_gives_what_python_gives(self, client, kind):
        data = photos()[kind]
        mask = upright_mask(data)
        answer = client.post(
            "/api/v1/fill", files={"photo": ("a", data), "mask": ("m", png_of(mask))}
        )
        assert answer.status_code == 200
        assert answer.content == regionwise.fill(data, mask, "membrane")
        assert answer.headers["content-type"].startswith("image/")

    @pytest.mark.parametrize(
        ("kind", "mode"), [("16-bit PNG", "RGB16"), ("RGBA WebP", "RGBA"), ("BMP", "RGB")]
    )
    def test_is_exact_outside_the_hole(self, client, kind, mode):
        data = photos()[kind]
        mask = mask_of()
        files = {"photo": ("a", data), "mask": ("m", png_of(mask))}
        before = decoded(data, mode)
        after = decoded(client.post("/api/v1/fill", files=files).content, mode)
        assert np.array_equal(before[~mask], after[~mask])
        assert not np.array_equal(before[mask], after[mask])

    def test_oriented_jpeg_keeps_metadata_tables_and_far_blocks(self, client):
        data = jpeg(orientation=6)
        mask = upright_mask(data)
        files = {"photo": ("a.jpg", data), "mask": ("m", png_of(mask))}
        filled = client.post("/api/v1/fill", files=files).content
        before, after = open_picture(io.BytesIO(data)), open_picture(io.BytesIO(filled))
        assert after.info["icc_profile"] == SRGB
        assert dict(after.getexif()) == dict(before.getexif())
        assert after.quantization == before.quantization
        moved = np.abs(read_photo(data).color.astype(int) - read_photo(filled).color)
        far = np.ones(mask.shape, bool)
        far[:53, :68] = False  # blocks of 16 pixels that may hold a pixel of the hole
        assert moved[far].mean() < 0.3  # coded once more with the same tables
        assert moved[mask].mean() > 3

    def test_takes_options_as_the_command_line(self, client):
        data = photos()["16-bit PNG"]
        options = {"box": "12,9,30,20", "grow": "3", "feather": "2"}
        answer = client.post("/api/v1/fill", files={"photo": ("a", data)}, data=options)
        wanted = regionwise.fill(data, model="membrane", box="12,9,30,20", grow=3, feather=2)
        assert answer.content == wanted
        files = {"photo": ("a", data), "mask": ("m", png_of(~mask_of(35, 45, (9, 9, 9, 9))))}
        options = {"invert_mask": "true", "resize_mask": "true"}
        answer = client.post("/api/v1/fill", files=files, data=options)
        mask = ~mask_of(35, 45, (9, 9, 9, 9))
        assert answer.content == regionwise.fill(
            data, mask, "membrane", invert_mask=True, resize_mask=True
        )

    @pytest.mark.parametrize(
        "options", [{"ensemble": True}, {"large": "polyphase"}, {"blend": "poisson"}]
    )
    def test_takes_other_ways_of_filling(self, client, options):
        data = file_of("PNG", "RGB", smooth(530, 70), 1)
        answer = client.post(
            "/api/v1/fill", files={"photo": ("a", data)}, data={"box": "9,9,40,500"} | options
        )
        wanted = regionwise.fill(data, model="membrane", box="9,9,40,500", **options)
        assert answer.content == wanted

    @pytest.mark.parametrize("large", ["auto", "window", "detail"])
    def test_a_bundled_network_fills_thick_holes_as_in_python(self, large):
        data = file_of("PNG", "RGB", noise("RGB", 640, 960), 1)
        options = {"box": "300,200,200,200", "large": large}
        with running(ServerSettings(model="small")) as client:
            answer = client.post("/api/v1/fill", files={"photo": ("a", data)}, data=options)
        assert answer.content == regionwise.fill(data, model="small", **options)

    def test_without_a_mask_transparent_pixels_are_filled(self, client):
        samples = noise("RGBA", HEIGHT, WIDTH)
        data = file_of("PNG", "RGBA", samples, 1)
        filled = decoded(client.post("/api/v1/fill", files={"photo": ("a", data)}).content, "RGBA")
        transparent = samples[..., 3] < 128
        assert (filled[transparent][:, 3] == 255).all()
        assert np.array_equal(filled[~transparent], samples[~transparent])

    def test_a_part_of_a_mask_is_laid_at_its_corner(self, client):
        data = photos()["16-bit PNG"]
        part = noise("1", 20, 30)
        whole = np.zeros((HEIGHT, WIDTH), bool)
        whole[11:31, 40:70] = part
        files = {"photo": ("a", data), "mask": ("m", png_of(part))}
        answer = client.post("/api/v1/fill", files=files, data={"mask_at": "40,11"})
        assert answer.content == regionwise.fill(data, whole, "membrane")
        answer = client.post("/api/v1/fill", files=files, data={"mask_at": "80,11"})
        assert answer.status_code == 422
        assert "reaches beyond the photo" in answer.json()["error"]

    def test_an_empty_mask_gives_the_photo_back_and_says_so(self, client):
        data = jpeg()
        empty = png_of(np.zeros_like(upright_mask(data)))
        answer = client.post("/api/v1/fill", files={"photo": ("a", data), "mask": ("m", empty)})
        assert answer.content == data
        assert "the mask is empty" in answer.headers["x-regionwise-warning"]

    def test_a_photo_that_was_sent_before_needs_no_bytes(self, client):
        data = jpeg()
        mask = png_of(upright_mask(data))
        identity = send(client, data)["id"]
        files = {"mask": ("m", mask)}
        answer = client.post("/api/v1/fill", files=files, data={"photo_id": identity})
        assert answer.content == regionwise.fill(data, mask, "membrane")


@pytest.mark.parametrize(
    ("files", "options", "status", "words"),
    [
        ({"photo": b"nothing of a picture"}, {}, 422, "not a picture"),
        ({"photo": b""}, {}, 422, "empty"),
        ({"photo": jpeg()[:400]}, {}, 422, "broken or cut short"),
        ({"photo": jpeg()}, {}, 422, "no transparent pixels"),
        ({"mask": jpeg()}, {}, 422, "photo_id"),
        ({"photo": jpeg(), "mask": b"x"}, {}, 422, "mask can't be used"),
        ({"photo": jpeg(), "mask": png_of(mask_of(8, 8))}, {}, 422, "8×8"),
        ({"photo": jpeg()}, {"box": "1,2,3"}, 422, "1,2,3"),
        ({"photo": jpeg(), "mask": jpeg()}, {"box": "1,2,3,4"}, 422, "both a mask and a box"),
        ({"photo": jpeg()}, {"grow": "-1"}, 422, "grow"),
        ({"photo": jpeg()}, {"grow": "1e9"}, 422, "grow"),
        ({"photo": jpeg()}, {"feather": "nan"}, 422, "feather"),
        ({"photo": jpeg()}, {"model": "../../etc/passwd", "box": "1,2,3,4"}, 422, "no model"),
        ({"photo": jpeg()}, {"colour": "red"}, 422, "no option 'colour'"),
        ({"photo": jpeg()}, {"box": "1,2,3,4", "result": "99"}, 422, "photo_id"),
        ({"photo": jpeg(), "mask": png_of(upright_mask(jpeg()) | True)}, {}, 422, "covers all"),
        ({"photo": jpeg(), "mask": png_of(mask_of(8, 8))}, {}, 422, "`resize_mask`"),
        ({"mask": jpeg()}, {"photo_id": "nobody"}, 404, "send it again"),
    ],
)
def test_errors_are_one_line(client, files, options, status, words):
    files = {name: (name, data) for name, data in files.items()}
    answer = client.post("/api/v1/fill", files=files, data=options)
    assert answer.status_code == status
    message = answer.json()["error"]
    assert words in message
    assert "\n" not in message


class TestStoredPhotos:
    def test_is_described(self, client):
        told = send(
            client, file_of("PNG", "RGBA16", noise("RGBA16", 40, 60), 6), "a/b\\Ümlaut?.png"
        )
        assert (told["width"], told["height"], told["bits"]) == (40, 60, 16)
        assert told["name"] == "Ümlaut.png"
        assert told["has_hole"]
        assert client.get(f"/api/v1/photos/{told['id']}").json() == told

    @pytest.mark.filterwarnings("ignore:the mask covers")
    @pytest.mark.parametrize("kind", photos())
    def test_fills_in_turn_give_what_python_gives(self, client, kind):
        data = photos()[kind]
        identity = send(client, data)["id"]
        first, second = upright_mask(data), ~upright_mask(data)
        *_, event = fill_stored(client, identity, png_of(first), grow=1)
        assert event["result"]["number"] == 1
        wanted = regionwise.fill(data, first, "membrane", grow=1)
        got = client.get(f"/api/v1/photos/{identity}/file?result=1")
        assert got.content == wanted
        *_, event = fill_stored(client, identity, png_of(second), result=1)
        assert event["result"]["start"] == 1
        again = client.get(f"/api/v1/photos/{identity}/file?result=2").content
        with pytest.warns(RegionwiseWarning, match="mostly invented"):
            second_fill = regionwise.fill(wanted, second, "membrane")
        assert (
            np.array_equal(read_photo(again).color, read_photo(second_fill).color)
            or kind == "oriented JPEG with ICC"
        )  # which in one go is quantised but once
        assert client.get(f"/api/v1/photos/{identity}/file").content == data
        results = client.get(f"/api/v1/photos/{identity}").json()["results"]
        assert [result["number"] for result in results] == [1, 2]

    def test_tells_its_steps(self, client):
        data = file_of("PNG", "RGB", noise("RGB", 1200, 1300), 1)
        mask = np.zeros((1200, 1300), bool)
        mask[40:60, 40:1260] = True  # more windows than go into one batch
        identity = send(client, data)["id"]
        first, *steps, last = fill_stored(client, identity, png_of(mask))
        assert first == {"ahead": 0}
        assert [step["done"] for step in steps] == sorted(step["done"] for step in steps)
        assert len(steps) > 1
        assert steps[-1]["done"] == 1
        assert last["result"]["box"] == [40, 40, 1220, 20]

    def test_errors_come_as_a_line(self, client):
        identity = send(client, jpeg())["id"]
        *_, last = fill_stored(client, identity, png_of(mask_of(5, 5)))
        assert "5×5" in last["error"]
        *_, last = fill_stored(client, identity, png_of(np.zeros_like(upright_mask(jpeg()))))
        assert "empty" in last["error"]

    def test_is_gone_when_removed(self, client):
        identity = send(client, jpeg())["id"]
        assert client.delete(f"/api/v1/photos/{identity}").status_code == 204
        for path in ("", "/tile", "/file"):
            assert client.get(f"/api/v1/photos/{identity}{path}").status_code == 404

    def test_patches_are_cut_to_their_hole(self, client):
        identity = send(client, jpeg())["id"]
        height, width = upright_mask(jpeg()).shape
        *_, last = fill_stored(client, identity, png_of(mask_of(height, width, (9, 8, 5, 4))))
        assert last["result"]["box"] == [9, 8, 5, 4]
        patches = client.app.state.context.store.get(identity).patches_of(1)
        assert sum(patch.size for patch in patches) == 4 * 5 * (3 + 1)

    def test_a_fill_of_a_forgotten_photo_says_so_in_the_stream(self, client, monkeypatch):
        identity = send(client, jpeg())["id"]
        store = client.app.state.context.store
        monkeypatch.setattr(jobs, "fill", lambda *_, **__: store.remove(identity))
        *_, last = fill_stored(client, identity, png_of(upright_mask(jpeg())))
        assert set(last) == {"error", "status"}

    def test_download_has_a_name(self, client):
        identity = send(client, jpeg(), "mein Föto.jpg")["id"]
        fill_stored(client, identity, png_of(upright_mask(jpeg())))
        said = client.get(f"/api/v1/photos/{identity}/file?result=1").headers["content-disposition"]
        assert said == "attachment; filename*=UTF-8''mein%20F%C3%B6to_filled.jpg"

    def test_other_formats(self, client):
        data = jpeg()
        identity = send(client, data)["id"]
        answer = client.get(f"/api/v1/photos/{identity}/file?format=PNG")
        assert answer.headers["content-type"] == "image/png"
        assert np.array_equal(read_photo(answer.content).color, read_photo(data).color)
        assert client.get(f"/api/v1/photos/{identity}/file?format=GIF").status_code == 422

    def test_masks_are_proposed(self, client):
        color = np.full((60, 80, 3), 90, np.uint8)
        color[20:40, 30:60] = 220, 40, 40
        identity = send(client, saved(Image.fromarray(color), "PNG"))["id"]
        points = {"points": [{"x": 45, "y": 30}]}
        answer = client.post(f"/api/v1/photos/{identity}/select", json=points)
        box = [int(part) for part in answer.headers["x-regionwise-box"].split(",")]
        assert np.abs(np.array(box) - (30, 20, 30, 20)).max() <= 2
        assert np.asarray(open_picture(io.BytesIO(answer.content))).shape == (box[3], box[2])
        assert client.post(f"/api/v1/photos/{identity}/find?kind=text").status_code == 204
        assert client.post(f"/api/v1/photos/{identity}/find?kind=cats").status_code == 422
        for bad in ({}, {"points": [{"x": 99, "y": 1}]}, {"box": [1, 2, 3]}):
            answer = client.post(f"/api/v1/photos/{identity}/select", json=bad)
            assert answer.status_code == 422
            assert "\n" not in answer.json()["error"]

    def test_unknown_result(self, client):
        identity = send(client, jpeg())["id"]
        assert client.get(f"/api/v1/photos/{identity}/file?result=1").status_code == 404
        assert client.get(f"/api/v1/photos/{identity}/file?result=x").status_code == 422

    def test_zip_holds_all_with_names_of_their_own(self, client):
        data = photos()
        ids = [send(client, one, "same.png")["id"] for one in data.values()]
        order = {"photos": [{"id": identity} for identity in ids]}
        answer = client.post("/api/v1/zip", json=order)
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(data)
        assert [archive.read(name) for name in archive.namelist()] == list(data.values())


class TestTiles:
    def tile(self, client, identity, **query):
        answer = client.get(f"/api/v1/photos/{identity}/tile", params=query)
        assert answer.status_code == 200, answer.text
        return np.asarray(open_picture(io.BytesIO(answer.content))).astype(int)

    @pytest.mark.parametrize("orientation", [1, 6])
    def test_together_they_are_the_photo(self, client, orientation):
        data = file_of("PNG", "RGB", smooth(700, 600), orientation)
        told = send(client, data)
        color = read_photo(data).color.astype(int)
        rows = []
        for row in range(-(-told["height"] // 512)):
            columns = range(-(-told["width"] // 512))
            tiles = [self.tile(client, told["id"], column=one, row=row) for one in columns]
            rows.append(np.hstack(tiles))
        seen = np.vstack(rows)
        assert seen.shape == color.shape
        assert np.abs(seen - color).mean() < 5  # JPEG of noise, for the eye

    def test_smaller_levels_are_means(self, client):
        samples = smooth(600, 700)
        identity = send(client, file_of("PNG", "RGB", samples, 1))["id"]
        seen = self.tile(client, identity, level=2)
        wanted = samples.reshape(150, 4, 175, 4, 3).mean(axis=(1, 3))
        assert seen.shape == wanted.shape
        assert np.abs(seen - wanted).mean() < 5

    def test_show_a_result_and_keep_alpha(self, client):
        samples = noise("RGBA16", 100, 120)
        identity = send(client, file_of("PNG", "RGBA16", samples, 1))["id"]
        mask = mask_of(100, 120)
        fill_stored(client, identity, png_of(mask))
        filled = client.get(f"/api/v1/photos/{identity}/file?result=1").content
        wanted = decoded(filled, "RGBA16").astype(int) * 255 / 65535
        seen = self.tile(client, identity, result=1)
        assert np.abs(seen - wanted).max() <= 0.5
        assert np.abs(self.tile(client, identity) - samples * (255 / 65535)).max() <= 0.5

    @pytest.mark.parametrize("query", [{"column": 1}, {"level": 40}, {"level": 13}, {"row": 9**6}])
    def test_outside_there_are_none(self, client, query):
        identity = send(client, jpeg())["id"]
        assert client.get(f"/api/v1/photos/{identity}/tile", params=query).status_code == 404


def test_models(client):
    told = client.get("/api/v1/models").json()
    assert [model["name"] for model in told["models"] if model["default"]] == ["membrane"]
    assert {card.name for card in regionwise.list_models()} == {m["name"] for m in told["models"]}
    assert told["max_bytes"] > 10**6
    assert [word["name"] for word in told["words"]] == ["auto", "fast", "sharp", "smooth"]
    for word in told["words"]:  # what they stand for are options that the API takes
        StatelessFill.model_validate(word["options"])


def test_options_as_a_form_needs_them(client):
    told = {one["name"]: one for one in client.get("/api/v1/models").json()["options"]}
    ours = {one.name: one for one in fields(FillOptions)}
    own = {"device", "page", "keep_video", "raw", "stage"}  # not of a page
    assert set(ours) - set(told) == own
    for name, one in told.items():
        assert one["default"] == ours[name].default
        assert one["help"] == option_of(ours[name]).help
        assert one["choices"] == list(choices_of(name))
    assert told["grow"]["kind"] == told["feather"]["kind"] == "number"
    assert (told["grow"]["minimum"], told["grow"]["maximum"]) == (0, 200)
    assert (told["seed"]["kind"], told["ensemble"]["kind"]) == ("whole number", "flag")
    assert (told["large"]["kind"], told["box"]["kind"]) == ("choice", "text")


@pytest.mark.parametrize("name", ["grow", "feather", "seed"])
def test_the_pages_form_is_within_the_limits(client, name):
    page = client.get("/").text
    told = {one["name"]: one for one in client.get("/api/v1/models").json()["options"]}[name]
    field = re.search(f'<input[^>]* id="{name}"[^>]*>', page)[0]
    made = dict(re.findall(r'(\w+)="([^"]*)"', field))
    assert float(made["min"]) == told["minimum"]
    assert float(made["max"]) <= told["maximum"]
    assert told["page"] == (float(made["value"]) if "value" in made else None)


def test_other_models_can_be_asked_for(client):
    data = file_of("PNG", "RGB", smooth(64, 64), 1)
    files = {"photo": ("a", data), "mask": ("m", png_of(mask_of(64, 64)))}
    answer = client.post("/api/v1/fill", files=files, data={"model": "rn"})
    assert answer.content == regionwise.fill(data, mask_of(64, 64), "rn")


def test_pages(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    page = client.get("/")
    assert "Take something out of a photo" in page.text
    again = client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/static/main.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/docs").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    body = paths["/api/v1/fill"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert {"photo", "mask", "grow", "model"} <= set(body["schema"]["properties"])


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/..%2fapp.py", "/static/", "/etc"])
def test_paths_are_looked_up_in_memory(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_no_page_asks_elsewhere():
    from regionwise.web.page_routes import page_files

    for name, file in page_files().items():
        if name.endswith(".jpg"):
            continue
        text = file.data.decode().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, name
        assert "https://" not in text, name


def test_a_word_gives_what_it_gives_in_python():
    photo = np.random.default_rng(8).integers(0, 256, (90, 120, 3), np.uint8)
    mask = np.zeros((90, 120), bool)
    mask[30:62, 40:80] = True
    files = {
        "photo": ("a.png", saved(Image.fromarray(photo), "PNG")),
        "mask": ("m.png", saved(Image.fromarray(mask), "PNG")),
    }
    with running(ServerSettings()) as client:
        for word in WORDS:
            answer = client.post("/api/v1/fill", files=files, data={"model": word})
            served = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
            np.testing.assert_array_equal(served, regionwise.fill(photo, mask, word))
