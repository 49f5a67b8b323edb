"""What the server refuses, so that it stays up: size, number, time, memory; and nothing on disk."""

import asyncio
import io
import socket
import struct
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.support.photo_files import QUICK, file_of, noise, png_chunk, saved
from tests.support.pictures import open_picture
from tests.support.running_server import running

import regionwise
from regionwise.engines.classical_engine import MembraneEngine
from regionwise.photos.reading import read_photo
from regionwise.web import context
from regionwise.web.clients import Arrivals
from regionwise.web.fill_queue import FillQueue
from regionwise.web.photo_store import DecodedPhotos, PhotoStore
from regionwise.web.refusals import RefusedError
from regionwise.web.settings import ServerSettings

PHOTO = file_of("PNG", "RGB", noise("RGB", 40, 50), 1)
MASK = saved(Image.fromarray(np.pad(np.ones((9, 9), bool), ((9, 22), (9, 32)))), "PNG")
FILES = {"photo": ("a.png", PHOTO), "mask": ("m.png", MASK)}


def bomb(width=60_000, height=60_000):
    """A small PNG that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


class SlowEngine(MembraneEngine):
    """Waits for the test before each batch."""

    def __init__(self):
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.batches = 0

    def fill(self, images, masks):
        self.batches += 1
        self.begun.release()
        assert self.go.wait(20)
        return super().fill(images, masks)


@pytest.fixture
def slow(monkeypatch):
    engine = SlowEngine()
    monkeypatch.setattr(context, "load_model", lambda *_, **__: engine)
    yield engine
    engine.go.set()


class TestSize:
    def test_bytes(self):
        with running(ServerSettings(model="membrane", max_bytes=10_000)) as client:
            for size in (11_000, 19_000):  # is read to its end, so that the answer arrives
                large = {"photo": ("a.png", bytes(size))}
                answer = client.post("/api/v1/fill", files=large)
                assert answer.status_code == 413
                assert "0.01 MB" in answer.json()["error"]
                assert "connection" not in answer.headers

            def unmeasured():
                for _ in range(20):
                    yield bytes(1000)

            kind = {"Content-Type": "multipart/form-data; boundary=x"}
            answer = client.post("/api/v1/photos", content=unmeasured(), headers=kind)
            assert answer.status_code in (400, 413)
            assert client.post("/api/v1/fill", files=FILES).status_code == 200

    def test_the_order_of_a_zip(self, client):
        many = b'{"photos":[' + b'{"id":"x"},' * 100_000 + b'{"id":"x"}]}'
        answer = client.post("/api/v1/zip", content=many)
        assert answer.status_code == 413
        few = b'{"photos":[' + b'{"id":"x"},' * 1001 + b'{"id":"x"}]}'
        for content in (few, b"{", b"[]", b'{"photos":[]}'):
            answer = client.post("/api/v1/zip", content=content)
            assert answer.status_code == 422
            assert "\n" not in answer.json()["error"]

    def test_decompression_bombs(self, client):
        for files in ({"photo": bomb()}, {"photo": PHOTO, "mask": bomb()}):
            named = {name: (name, data) for name, data in files.items()}
            answer = client.post("/api/v1/fill", files=named)
            assert answer.status_code == 422
            assert "60000×60000 pixels, more than the limit" in answer.json()["error"]
        assert client.post("/api/v1/photos", files={"photo": ("a", bomb())}).status_code == 422

    def test_pixels(self):
        with running(ServerSettings(model="membrane", max_pixels=1999)) as client:
            answer = client.post("/api/v1/photos", files={"photo": ("a", PHOTO)})
            assert answer.status_code == 422
            assert "more than the limit of 1,999" in answer.json()["error"]


class TestForms:
    @pytest.mark.parametrize(
        ("content", "kind", "status"),
        [
            (b"{}", "application/json", 415),
            (b"", "multipart/form-data", 415),
            (b"--x\r\n", "multipart/form-data; boundary=x", 400),
            (b"nothing", "multipart/form-data; boundary=x", 400),
            (b"--x\r\n\r\nnameless\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
        ],
    )
    def test_broken(self, client, content, kind, status):
        answer = client.post("/api/v1/fill", content=content, headers={"Content-Type": kind})
        assert answer.status_code == status
        assert "\n" not in answer.json()["error"]

    def test_too_many_parts_and_too_long_fields(self, client):
        many = {f"f{number}": ("f", b"") for number in range(100)}
        assert client.post("/api/v1/fill", files=many).status_code == 400
        answer = client.post("/api/v1/fill", files=FILES, data={"grow": "1" * 10_000})
        assert answer.status_code == 400

    @QUICK
    @given(st.binary(max_size=3000), st.integers(1, 300), st.text(max_size=30))
    def test_any_bytes_arrive_whole_in_any_pieces(self, data, size, name):
        request = httpx.Request("POST", "http://x", files={"photo": (name or "a", data)})
        body = request.read()
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        form = asyncio.run(self.read(pieces, request.headers["content-type"]))
        assert form.files["photo"].data == data

    def test_a_body_that_trickles_is_refused(self, monkeypatch):
        from regionwise.web import forms

        monkeypatch.setattr(forms, "_GRACE", 0.1)
        with running(ServerSettings(model="membrane")) as client:

            def trickle():
                yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
                for _ in range(50):
                    yield b"-"
                    time.sleep(0.05)

            kind = {"Content-Type": "multipart/form-data; boundary=x"}
            started = time.monotonic()
            with ThreadPoolExecutor(1) as threads:
                slow = threads.submit(client.post, "/api/v1/fill", content=trickle(), headers=kind)
                assert client.post("/api/v1/fill", files=FILES).status_code == 200
                assert slow.result().status_code == 408
            assert time.monotonic() - started < 10

    def test_a_client_sends_only_so_many_at_a_time(self):
        now = [0.0]
        arrivals = Arrivals(3, 2, clock=lambda: now[0])
        with ExitStack() as held:
            for _ in range(2):
                held.enter_context(arrivals.place("one"))
            with pytest.raises(RefusedError, match="too many"), arrivals.place("one"):
                pass
            held.enter_context(arrivals.place("other"))
            with pytest.raises(RefusedError, match="too many"), arrivals.place("third"):
                pass
        with arrivals.place("third"):
            pass

    def test_a_slow_body_gives_way(self):
        now = [0.0]
        arrivals = Arrivals(3, 2, clock=lambda: now[0])
        with arrivals.place("one") as quick, arrivals.place("one") as slow:
            now[0] = 2
            quick.received = 10**6
            with arrivals.place("one"):
                assert slow.gives_way
                assert not quick.gives_way
                with pytest.raises(RefusedError, match="too many"), arrivals.place("one"):
                    pass

    def test_slow_uploads_of_its_own_address_keep_no_one_out(self):
        head = b"POST /api/v1/photos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n"
        head += b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        settings = ServerSettings(model="membrane", arriving=6, arriving_each=4)
        with running(settings) as client, ExitStack() as held:
            for _ in range(10):
                held.enter_context(send_raw(client, head))
                time.sleep(0.05)
            time.sleep(1)
            for _ in range(3):
                assert client.post("/api/v1/fill", files=FILES).status_code == 200

    async def read(self, pieces, kind):
        from starlette.requests import Request

        from regionwise.web.forms import BodyLimits, read_form

        messages = iter(
            {"type": "http.request", "body": piece, "more_body": index + 1 < len(pieces)}
            for index, piece in enumerate(pieces)
        )

        async def receive():
            return next(messages)

        scope = {"type": "http", "headers": [(b"content-type", kind.encode())]}
        return await read_form(Request(scope, receive), BodyLimits(10**6, 5))


class TestQueue:
    def test_a_full_one_says_when_to_come_back(self, slow):
        with (
            running(ServerSettings(workers=1, waiting=1)) as client,
            ThreadPoolExecutor(2) as threads,
        ):
            first = threads.submit(client.post, "/api/v1/fill", files=FILES)
            assert slow.begun.acquire(timeout=10)
            second = threads.submit(client.post, "/api/v1/fill", files=FILES)
            while client.app.state.context.queue.taken < 2:
                time.sleep(0.01)
            refused = client.post("/api/v1/fill", files=FILES)
            assert refused.status_code == 429
            assert client.post("/api/v1/photos", files={"photo": ("a", PHOTO)}).status_code == 429
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert client.get("/healthz").status_code == 200
            slow.go.set()
            assert first.result().status_code == second.result().status_code == 200
            assert client.post("/api/v1/fill", files=FILES).status_code == 200

    def test_fifty_clients_at_once(self):
        wanted = regionwise.fill(PHOTO, MASK, "membrane")
        with running(ServerSettings(model="membrane", waiting=8)) as client:

            def ask(_):
                with httpx.Client(base_url=client.base_url, timeout=30) as own:
                    for _ in range(300):
                        answer = own.post("/api/v1/fill", files=FILES)
                        if answer.status_code != 429:
                            return answer
                        time.sleep(0.02)
                return None

            with ThreadPoolExecutor(50) as threads:
                answers = list(threads.map(ask, range(50)))
            assert [answer.status_code for answer in answers] == [200] * 50
            assert {answer.content for answer in answers} == {wanted}
            assert client.app.state.context.queue.taken == 0


class TestFairness:
    """Queues of one worker that the test holds until all have come."""

    def served(self, clients, waiting=20):
        async def run():
            queue, order = FillQueue(1, waiting), []
            gate = threading.Event()

            async def ask(client):
                try:
                    with queue.place(client) as place:
                        await queue.run(place, lambda: gate.wait(10))
                        order.append(client)
                except RefusedError:
                    order.append(f"{client} refused")

            tasks = []
            for client in clients:
                tasks.append(asyncio.create_task(ask(client)))
                await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(*tasks)
            assert queue.taken == 0
            queue.close()
            return order

        return asyncio.run(run())

    def test_clients_are_served_in_turn(self):
        assert self.served("aaaaabc") == list("aabcaaa")

    def test_one_client_is_served_in_order(self):
        assert self.served(["a"] * 5) == ["a"] * 5

    def test_a_newcomer_gets_a_place_of_the_busiest(self):
        order = self.served("aaaab", waiting=3)
        assert sorted(order) == ["a", "a", "a", "a refused", "b"]
        assert order.index("b") < 4  # the refusal comes first

    def test_no_place_is_taken_from_who_has_no_more(self):
        assert sorted(self.served("abcd", waiting=2)) == ["a", "b", "c", "d refused"]

    def test_a_waiting_client_that_goes_leaves_no_gap(self):
        async def run():
            queue, gate = FillQueue(1, 5), threading.Event()

            async def ask(client):
                with queue.place(client) as place:
                    return await queue.run(place, lambda: gate.wait(10))

            first, second, third = (asyncio.create_task(ask(name)) for name in "abc")
            await asyncio.sleep(0.05)
            second.cancel()
            gate.set()
            assert await asyncio.wait_for(asyncio.gather(first, third), 5) == [True, True]
            assert queue.taken == 0
            queue.close()

        asyncio.run(run())


def send_raw(client, data):
    """A connection that sends these bytes."""
    connection = socket.create_connection((client.base_url.host, client.base_url.port), timeout=5)
    connection.sendall(data)
    return connection


class TestConnections:
    def test_a_head_that_does_not_come_is_not_awaited(self):
        with running(ServerSettings(model="membrane"), head_seconds=0.3) as client:
            for data in (b"", b"GET / HTTP/1.1\r\nHost: ", b"GET /healthz HTTP/1.1\r\n"):
                with send_raw(client, data) as connection:
                    started = time.monotonic()
                    assert connection.recv(1000) == b""
                    assert time.monotonic() - started < 3

    def test_a_second_head_has_a_deadline_too(self):
        with running(ServerSettings(model="membrane"), head_seconds=0.3) as client:
            ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            with send_raw(client, ask + b"GET /hea") as connection:
                received, started = b"", time.monotonic()
                while piece := connection.recv(1000):
                    received += piece
                assert received.count(b"200 OK") == 1
                assert time.monotonic() - started < 3  # not uvicorn's 5 for a silent connection

    def test_hundreds_that_say_nothing_take_no_place(self):
        with running(ServerSettings(model="membrane"), most_waiting=20) as client:
            held = [send_raw(client, b"GET / HTTP/1.1\r\n") for _ in range(60)]
            assert client.get("/healthz").status_code == 200
            closed = 0
            for connection in held:
                connection.settimeout(0.02)
                with connection, suppress(TimeoutError):
                    try:
                        closed += connection.recv(10) == b""
                    except ConnectionResetError:
                        closed += 1
            assert closed >= 40


def many_windows():
    """A photo and a mask that need a dozen batches."""
    photo = saved(Image.fromarray(noise("RGB", 700, 6000)), "PNG", compress_level=0)
    mask = np.zeros((700, 6000), bool)
    mask[300:560:3] = True
    return {"photo": ("a.png", photo), "mask": ("m.png", saved(Image.fromarray(mask), "PNG"))}


class TestStopping:
    def test_a_client_that_goes_stops_its_fill(self, slow):
        with running(ServerSettings(workers=1)) as client:
            with pytest.raises(httpx.ReadTimeout):
                client.post("/api/v1/fill", files=many_windows(), timeout=httpx.Timeout(10, read=2))
            assert slow.batches == 1
            time.sleep(0.3)  # the server sees that the connection is closed
            slow.go.set()
            assert client.post("/api/v1/fill", files=FILES).status_code == 200
            assert slow.batches == 2  # the second is that of the second fill
            assert client.app.state.context.queue.taken == 0

    def test_so_does_a_page_that_cancels(self, slow):
        files = many_windows()
        with running(ServerSettings(workers=1)) as client:
            sent = client.post("/api/v1/photos", files={"photo": files["photo"]}).json()
            path = f"/api/v1/photos/{sent['id']}/fills"
            with client.stream("POST", path, files={"mask": files["mask"]}) as answer:
                lines = answer.iter_lines()
                assert next(lines) == '{"ahead": 0}'
                assert slow.begun.acquire(timeout=10)
            time.sleep(0.3)
            slow.go.set()
            while client.app.state.context.queue.taken:
                time.sleep(0.01)
            time.sleep(0.1)
            assert slow.batches == 1
            assert client.get(f"/api/v1/photos/{sent['id']}").json()["results"] == []

    def test_a_fill_that_takes_too_long(self, slow):
        with running(ServerSettings(fill_seconds=0.2)) as client:
            threading.Timer(1, slow.go.set).start()
            answer = client.post("/api/v1/fill", files=many_windows())
            assert answer.status_code == 503
            assert "0.2 s" in answer.json()["error"]
            assert "--" not in answer.json()["error"]
            assert slow.batches < 12

    def test_it_stops_between_the_views_of_an_ensemble(self, slow):
        with running(ServerSettings(fill_seconds=0.2)) as client:
            threading.Timer(1, slow.go.set).start()
            answer = client.post("/api/v1/fill", files=FILES, data={"ensemble": "true"})
            assert answer.status_code == 503
            assert slow.batches == 1  # of five


class TestMemory:
    def test_a_full_store_forgets_the_oldest_photo(self):
        with running(ServerSettings(model="membrane", memory=2 * len(PHOTO) + 3000)) as client:
            ids = [
                client.post("/api/v1/photos", files={"photo": ("a", PHOTO)}).json()["id"]
                for _ in range(3)
            ]
            told = [client.get(f"/api/v1/photos/{identity}") for identity in ids]
            assert [answer.status_code for answer in told] == [404, 200, 200]
            large = client.post("/api/v1/photos", files={"photo": ("a", PHOTO * 3)})
            assert large.status_code in (413, 429)
            assert "--" not in large.json()["error"]

    def test_of_several_clients_the_one_with_most_gives_room(self):
        store = PhotoStore(4 * len(PHOTO), 60)
        photo = read_photo(PHOTO)
        small = store.add("a", PHOTO, photo, "small")
        large = [store.add("a", PHOTO, photo, "large") for _ in range(3)]
        store.add("a", PHOTO, photo, "newcomer")
        assert store.get(small.id) is small
        with pytest.raises(RefusedError, match="send it again"):
            store.get(large[0].id)

    def test_bodies_that_arrive_count(self):
        store = PhotoStore(1000, 60)
        with store.arrival() as one, store.arrival() as other:
            one.count(600)
            with pytest.raises(RefusedError, match="memory is full") as refused:
                other.count(600)
            assert refused.value.status == 429
            one.end()
            other.count(600)
        assert store.arriving == 0
        with pytest.raises(RefusedError) as refused, store.arrival() as one:
            one.count(1001)
        assert refused.value.status == 413

    def test_a_fill_of_a_photo_that_went_is_told(self):
        photo = read_photo(PHOTO)
        store = PhotoStore(10**6, 60)
        stored = store.add("a", PHOTO, photo)
        store.remove(stored.id)
        how = {"start": 0, "hole_ratio": 0.1, "seconds": 1, "model": "x", "warnings": []}
        with pytest.raises(RefusedError, match="send it again"):
            store.add_result(stored, (), **how)

    def test_photos_are_forgotten_when_nobody_asks(self):
        now = [0.0]
        store = PhotoStore(10**6, 60, clock=lambda: now[0])
        photo = regionwise.photos.reading.read_photo(PHOTO)
        one, other = (store.add("a", PHOTO, photo) for _ in range(2))
        now[0] = 50
        store.get(one.id)
        now[0] = 70
        assert store.forget_idle() == [other.id]
        assert store.get(one.id) is one
        with pytest.raises(RefusedError, match="send it again"):
            store.get(other.id)
        assert store.size == len(PHOTO)

    def test_decoded_photos_are_bounded_and_decoded_once(self):
        photo = regionwise.photos.reading.read_photo(PHOTO)
        decoded = DecodedPhotos(2 * photo.color.nbytes)
        asked = []

        def get(name):
            return decoded.get(name, lambda: asked.append(name) or photo)

        for name in "abacab":
            get(name)
        assert asked == ["a", "b", "c", "b"]
        small = DecodedPhotos(1)
        assert small.get("x", lambda: photo) is small.get("x", lambda: None)


_writes: list[str] = []
_watching = threading.Event()


def _watch(event, arguments):
    if event == "open" and _watching.is_set():
        path, mode, flags = arguments
        if "w" in str(mode) or (isinstance(flags, int) and flags & 0o1103):
            _writes.append(str(path))
    elif event.startswith(("tempfile.", "os.mkdir")) and _watching.is_set():
        _writes.append(event)


def test_no_photo_touches_the_disk(client):
    photo = saved(Image.fromarray(noise("RGB", 1200, 1300)), "BMP")  # above 4 MB
    mask = np.zeros((1200, 1300), bool)
    mask[5:30, 5:30] = True
    files = {"photo": ("a.bmp", photo), "mask": ("m.png", saved(Image.fromarray(mask), "PNG"))}
    client.post("/api/v1/fill", files=FILES)  # what is imported late is imported now
    sys.addaudithook(_watch)
    _watching.set()
    try:
        assert client.post("/api/v1/fill", files=files).status_code == 200
        sent = client.post("/api/v1/photos", files={"photo": files["photo"]}).json()
        client.post(f"/api/v1/photos/{sent['id']}/fills", files={"mask": files["mask"]})
        assert client.get(f"/api/v1/photos/{sent['id']}/file?result=1").status_code == 200
        client.post("/api/v1/zip", json={"photos": [{"id": sent["id"]}]})
    finally:
        _watching.clear()
    assert _writes == []


def test_logs_hold_no_names(client, caplog):
    caplog.set_level("INFO", logger="regionwise.web")
    sent = client.post("/api/v1/photos", files={"photo": ("my secret.png", PHOTO)}).json()
    client.get(f"/api/v1/photos/{sent['id']}/tile?level=0")
    client.get("/secret/path?and=query")
    told = " ".join(record.getMessage() for record in caplog.records)
    assert "GET /api/v1/photos/{identity}/tile 200" in told
    assert sent["id"] not in told
    assert "secret" not in told


@pytest.fixture(scope="module")
def seeds():
    whole = {kind: file_of(kind, "RGB", noise("RGB", 12, 14), 1) for kind in ("PNG", "TIFF", "BMP")}
    whole["JPEG"] = saved(Image.fromarray(noise("RGB", 12, 14)), "JPEG")
    whole["WEBP"] = saved(Image.fromarray(noise("RGB", 12, 14)), "WEBP")
    return list(whole.values())


@QUICK
@given(data=st.data())
def test_broken_uploads_are_told_or_read(client, seeds, data):
    photo = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(0, 6))):
        photo[data.draw(st.integers(0, len(photo) - 1))] = data.draw(st.integers(0, 255))
    photo = photo[: data.draw(st.integers(0, len(photo)))]
    mask = data.draw(st.sampled_from([MASK, b"", bytes(photo)]))
    files = {"photo": ("a", bytes(photo)), "mask": ("m", mask)}
    answer = client.post("/api/v1/fill", files=files, data={"resize_mask": "1"})
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        open_picture(io.BytesIO(answer.content))
    else:
        assert "\n" not in answer.json()["error"]
