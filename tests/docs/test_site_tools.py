"""The site's own few tools: they find what is wrong, and change nothing else."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def tool(path: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def site(folder: Path, body: str) -> Path:
    (folder / "index.html").write_text(f"<body>{body}</body>")
    (folder / "other.html").write_text('<h1 id="place">Other</h1>')
    return folder


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<a href="other.html#place">', None),
        ('<a href="https://example.org">', None),
        ('<a href="gone.html">', "leads nowhere"),
        ('<a href="other.html#gone">', "no such place"),
        ('<a href="#gone">', "no such place"),
        ('<img src="gone.png">', "leads nowhere"),
        ('<script src="https://cdn.example.org/x.js"></script>', "from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "from elsewhere"),
    ],
)
def test_the_checker_finds_dead_links_and_foreign_hosts(
    tmp_path: Path, body: str, told: str | None
):
    found = tool(".ci/check_site.py").faults(site(tmp_path, body))
    assert (not found) if told is None else (len(found) == 1 and told in found[0])


def test_the_page_in_the_browser_may_be_missing_but_not_half(tmp_path: Path):
    faults = tool(".ci/check_site.py").faults
    folder = site(tmp_path, '<a href="try/index.html">')
    assert faults(folder) == []
    (folder / "try").mkdir()
    assert "leads nowhere" in faults(folder)[0]


def test_bars_are_norms_and_tables_are_tables():
    pytest.importorskip("sphinx")
    convert = tool("docs/_extensions/docstrings.py").as_restructured
    assert convert(["The mean of |x - y|."]) == ["The mean of \\|x - y\\|."]
    assert convert(["`a | b` by f(**c)"]) == ["`a | b` by f(\\*\\*c)"]
    table = convert(["  | a | b |", "  |---|---|", "  | 1 | 2 |"])
    assert table[1:4] == ["  .. list-table::", "     :header-rows: 1", ""]
    assert [line.strip() for line in table[4:-1]] == ["* - a", "- b", "* - 1", "- 2"]


def test_the_diagram_has_its_layers_and_refuses_what_it_cannot_draw():
    pytest.importorskip("sphinx")
    layers_of = tool("docs/_extensions/rooms_diagram.py").layers_of
    first, side_by_side = 'flowchart TD\na["a: x"] --> b\n', 'b["b: y"]\nc["c: z"]'
    source = f'{first}subgraph s [" "]\n{side_by_side}\nend\ns --> d["d: w"]'
    assert layers_of(source) == [["a: x"], ["b: y", "c: z"], ["d: w"]]
    with pytest.raises(ValueError, match="sequenceDiagram"):
        layers_of("sequenceDiagram")


def test_root_pages_link_to_the_site_where_it_has_the_page():
    pytest.importorskip("sphinx")
    retold = tool("docs/_extensions/root_pages.py").retold
    assert retold("[a](docs/faq.md#how)") == "[a](faq.md#how)"
    assert retold("[a](SECURITY.md)") == "[a](security.md)"
    assert retold("[a](src/x)") == "[a](https://github.com/regionwise/regionwise/blob/main/src/x)"
    assert retold("[a](https://b.org) [c](#d)") == "[a](https://b.org) [c](#d)"
