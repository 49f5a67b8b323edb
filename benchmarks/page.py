"""Draw the tables of docs/speed.md from the files that networks.py and commands.py wrote.

python benchmarks/page.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "speed.md"


def networks(results: dict[str, Any]) -> str:
    """The machine, and a row for each network, layer and loss."""
    facts = results["machine"]
    compiled = any("compiled_ms" in row for row in results["rows"].values())
    many = "s" if facts["threads"] > 1 else ""
    lines = [
        f"{facts['processor']} ({facts['capability']}), {facts['threads']} thread{many}, PyTorch "
        f"{facts['torch']}, Python {facts['python']}; the fastest convolution reaches "
        f"{facts['convolution_gmac_per_second']:.0f} GMAC/s.",
        "",
        "| what | literal, ms | ours, ms | gain |"
        + " compiled, ms | gain |" * compiled
        + " limit, ms | difference |",
        "|---|---|---|---|" + "---|---|" * compiled + "---|---|",
    ]
    for name, row in results["rows"].items():
        cells = [name, f"{row['literal_ms']:.0f}", f"{row['ours_ms']:.0f}"]
        cells.append(f"{row['ours_gain']:.2f}×")
        if "compiled_ms" in row:
            cells += [f"{row['compiled_ms']:.0f}", f"{row['compiled_gain']:.2f}×"]
        elif compiled:
            cells += ["", ""]
        limit = f"{row['limit_ms']:.0f}" if row["gmac"] > 1 else ""
        lines.append("| " + " | ".join([*cells, limit, f"{row['difference']:.0e}"]) + " |")
    return "\n".join(lines)


def commands(rows: dict[str, Any]) -> str:
    """A row for each command."""
    lines = ["| command | processor, s | peak, MB | beside | |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        beside = f"{row['ratio']:.2f}× {row['beside']}" if row["ratio"] else ""
        beside_seconds = f"{row['beside_seconds']:.2f} s" if row["ratio"] else ""
        lines.append(
            f"| {name} | {row['processor']:.2f} | {row['peak_mb']} | {beside} | {beside_seconds} |"
        )
    return "\n".join(lines)


def drawn(page: str, tables: dict[str, str]) -> str:
    """The page with its tables drawn anew."""
    for name, table in tables.items():
        head, rest = page.split(f"<!-- {name} -->")
        page = f"{head}<!-- {name} -->\n\n{table}\n\n<!-- end -->{rest.split('<!-- end -->', 1)[1]}"
    return page


def tables() -> dict[str, str]:
    """All tables, by the names of their files."""
    found = {}
    for name, draw in (("networks.json", networks), ("commands.json", commands)):
        found[name] = draw(json.loads((HERE / name).read_text(encoding="utf-8")))
    return found


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
