"""`regionwise serve` from a shell: it starts, answers, ends; and what goes wrong is one line."""

import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from regionwise.cli import main, serve


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "regionwise", "serve", "--port", "0", "--no-open", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def test_starts_answers_and_ends():
    process = start("--model", "membrane", REGIONWISE_TOKEN="abc")
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line).group()
        assert "abc" not in line  # which may be a log; on a terminal the link has the token
        answer = httpx.get(address + "healthz")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert httpx.get(address + "api/v1/models").status_code == 401
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_taken_port_is_told(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["serve", "--port", port, "--no-open"]) == 2
    told = capsys.readouterr().err
    assert f"port {port} is taken; give another with --port" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "203.0.113.9"], "not an address of this computer"),
        (["--host", "no.such.host.invalid"], "there is no address"),
        (["--model", "nothing", "--port", "0"], "there is no model nothing"),
        (["--token", "two words"], "no header can carry this token"),
        (["--output-dir", "no/such/folder"], "no/such/folder is not a folder"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, words):
    assert main(["serve", "--no-open", *arguments]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_missing_libraries_are_named(capsys, monkeypatch):
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    assert main(["serve"]) == 2
    assert 'pip install "regionwise[web]"' in capsys.readouterr().err
