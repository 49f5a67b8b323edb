"""Who may ask: names, origins, the token; and what every answer says to browsers."""

import pytest
from tests.support.running_server import running

from regionwise.web.clients import WrongTokens, client_of
from regionwise.web.guard import is_own_host
from regionwise.web.refusals import RefusedError
from regionwise.web.settings import ServerSettings

LOCAL = ServerSettings()
OPEN = ServerSettings(host="0.0.0.0", allowed_hosts=frozenset({"photos.lan"}))


@pytest.mark.parametrize(
    ("host", "local", "everywhere"),
    [
        ("localhost:8000", True, True),
        ("LOCALHOST.", True, True),
        ("127.0.0.1:8000", True, True),
        ("127.8.9.10", True, True),
        ("[::1]:8000", True, True),
        ("192.168.1.5:8000", False, True),
        ("photos.lan:8000", False, True),
        ("evil.example", False, False),
        ("localhost.evil.example", False, False),
        ("127.0.0.1.evil.example", False, False),
        ("evil.example:8000@localhost", True, True),  # whose host is localhost indeed
        ("", False, False),
        ("[::1", False, False),
    ],
)
def test_own_names(host, local, everywhere):
    assert is_own_host(host, LOCAL) == local
    assert is_own_host(host, OPEN) == everywhere


def test_rebound_name_is_refused(client):
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "--allow-host" in answer.json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "::"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_other_sites_are_refused(client, headers, status):
    assert client.get("/healthz", headers=headers).status_code == status


def test_a_page_of_another_site_can_not_send(client):
    for headers in (
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ):
        answer = client.post("/api/v1/fill", headers=headers, files={"photo": ("a", b"x")})
        assert answer.status_code == 403


def test_own_origin_passes(client):
    origin = str(client.base_url).rstrip("/")
    assert client.get("/api/v1/models", headers={"Origin": origin}).status_code == 200


def test_a_proxy_that_speaks_tls_passes(client):
    headers = {"Host": "localhost", "Origin": "https://localhost"}
    assert client.get("/api/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/v1/models", "/nothing", "/healthz"])
def test_every_answer_is_guarded(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert "server" not in headers or "uvicorn" in headers["server"]  # off in `regionwise serve`
    assert "access-control-allow-origin" not in headers


def test_refusals_are_guarded_too(client):
    answer = client.get("/", headers={"Host": "evil.example"})
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_token():
    with running(ServerSettings(model="membrane", token="geheim")) as client:
        assert client.get("/").status_code == 200  # the page asks for it
        assert client.get("/healthz").status_code == 200
        for shown in (
            None,
            "Bearer",
            "Bearer falsch",
            "Bearer geheim\u00fc".encode(),
            "Basic geheim",
        ):
            headers = {"Authorization": shown} if shown else {}
            answer = client.get("/api/v1/models", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        headers = {"Authorization": "bearer geheim"}
        assert client.get("/api/v1/models", headers=headers).status_code == 200


def test_wrong_tokens_are_few():
    with running(ServerSettings(model="membrane", token="geheim")) as client:
        for _ in range(12):
            client.get("/api/v1/models")  # without one: no guess
        for number in range(10):
            headers = {"Authorization": f"Bearer guess{number}"}
            answer = client.get("/api/v1/models", headers=headers)
            assert answer.status_code == 401
            assert "not the server's" in answer.json()["error"]
        right = {"Authorization": "Bearer geheim"}
        answer = client.get("/api/v1/models", headers=right)
        assert answer.status_code == 429  # or the right one would be found all the same
        assert 1 <= int(answer.headers["retry-after"]) <= 61


def test_wrong_tokens_are_forgotten():
    now = [0.0]
    wrong = WrongTokens(2, 60, clock=lambda: now[0])
    for _ in range(2):
        wrong.check("a")
        wrong.add("a")
    with pytest.raises(RefusedError, match="wrong tokens"):
        wrong.check("a")
    wrong.check("b")
    now[0] = 61
    wrong.check("a")


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_clients_are_told_apart_by_address(host, client):
    assert client_of({"client": (host, 1)}) == client


def test_a_mistake_of_ours_is_no_traceback(client, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(client.app.state.context.store, "get", broken)
    answer = client.get("/api/v1/photos/x")
    assert answer.status_code == 500
    assert answer.json() == {"error": "a mistake of the server itself; its log says more"}
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "ZeroDivisionError" in caplog.text
