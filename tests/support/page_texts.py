"""All texts of the page that are to be translated, read from its files."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import regionwise.web

STATIC = Path(regionwise.web.__file__).parent / "static"
ATTRIBUTES = ("aria-label", "title", "placeholder", "alt")
OWN = {"regionwise", "100%", "x", "y", "40", ""}  # names and numbers


class _Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ATTRIBUTES]

    def handle_data(self, data):
        self.found.append(data.strip())


def html_texts():
    """Of index.html."""
    parser = _Texts()
    parser.feed((STATIC / "index.html").read_text())
    return [text for text in parser.found if text not in OWN]


def script_texts():
    """What the modules give to `t`, and the tables that they translate."""
    found = []
    for file in STATIC.glob("*.js"):
        if file.name in ("strings.js", "api.js"):
            continue
        text = file.read_text()
        found += re.findall(r'\bt\("((?:[^"\\]|\\.)+)"', text)
    keys = (STATIC / "shortcuts.js").read_text()
    found += re.findall(r'^    \["[^"]+", (?:"\w+"|null), "([^"]+)"\],$', keys, re.M)
    found += re.findall(r'^  \["([^"]+)", \[$', keys, re.M)
    panel = (STATIC / "panel.js").read_text()
    for one, other in re.findall(r'^  \w+: \["([^"]+)", "([^"]+)"\],$', panel, re.M):
        found += [one, other]
    return [*found, "Grow", "Feather", "Seed", "painted", "filled", "untouched"]


def table():
    """The rows of strings.js and its languages."""
    text = (STATIC / "strings.js").read_text()
    rows = [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith('  ["')]
    languages = re.findall(r"(\w+): \"", text.partition("};")[0])
    return languages, rows
