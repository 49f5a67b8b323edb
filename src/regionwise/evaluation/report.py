"""The evaluation as one HTML file that needs nothing else: tables, and samples under a slider."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from regionwise.evaluation.contact_sheet import Sample
from regionwise.evaluation.tables import Table, best_columns, format_number
from regionwise.evaluation.writers import _ARROWS, _count, _interval

_STYLE = """
:root { --ink: #222; --faint: #5f6368; --line: #ddd; --page: #fff; --bad: #a00 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --faint: #a5a9ae; --line: #444; --page: #181818; --bad: #f88 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--page) }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 0 }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem }
table { border-collapse: collapse; margin: .5rem 0 }
th, td { padding: .25rem .8rem; text-align: right; vertical-align: top; white-space: nowrap;
  border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left; padding-left: 0; position: sticky; left: 0;
  background: var(--page) }
small { display: block; color: var(--faint) }
.scroll { overflow-x: auto }
.made td { white-space: normal; overflow-wrap: anywhere; text-align: left }
.made td:first-child { min-width: 6rem; overflow-wrap: normal; color: var(--faint) }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem }
.slider { margin: 0 }
.slider > div { position: relative; --cut: 50%; touch-action: pan-y }
.slider img { display: block; width: 100% }
.slider .over { position: absolute; inset: 0; clip-path: inset(0 calc(100% - var(--cut)) 0 0) }
.slider .line { position: absolute; top: 0; bottom: 0; left: var(--cut); width: 2px;
  margin-left: -1px; background: #fff; box-shadow: 0 0 3px #000; pointer-events: none }
.slider .line::after { content: "\\2194"; position: absolute; top: 50%; left: 50%; width: 1.8rem;
  height: 1.8rem; transform: translate(-50%, -50%); border-radius: 50%; background: #fff;
  color: #222; box-shadow: 0 0 3px #000; text-align: center; line-height: 1.75rem }
.slider input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0;
  cursor: ew-resize }
.slider input:focus-visible + .line { outline: 3px solid #1a73e8 }
.note { color: var(--faint) } .error { color: var(--bad) }
"""

_SCRIPT = """
document.querySelectorAll('.slider input').forEach(range => {
  range.addEventListener('input', () => {
    range.parentElement.style.setProperty('--cut', range.value + '%');
  });
});
document.querySelectorAll('[name=before]').forEach(choice => {
  choice.addEventListener('change', () => {
    document.querySelectorAll('.slider .over').forEach(image => {
      image.src = image.dataset[choice.value];
    });
  });
});
"""


def html_report(
    title: str,
    about: Mapping[str, Any],
    tables: Sequence[Table],
    samples: Sequence[Sample],
    errors: Sequence[str],
) -> str:
    """The whole page. `about`: what is listed under "How this was made"."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>",
        f"<h1>{html.escape(title)}</h1>",
        f"<p class='note'>{_text(about.get('filled', ''))} {_differences_are(tables)}</p>",
        *(_table(table) for table in tables),
    ]
    if errors:
        listed = "".join(f"<li>{html.escape(error)}</li>" for error in errors[:50])
        more = f"<p>and {len(errors) - 50} more</p>" if len(errors) > 50 else ""
        parts.append(f"<h2>What failed ({len(errors)})</h2><ul class='error'>{listed}</ul>{more}")
    if samples:
        parts += ["<h2>Samples</h2>", _CHOICE, *(_sliders(sample) for sample in samples)]
    rows = "".join(
        f"<tr><td>{html.escape(key)}<td>{'<br>'.join(_lines(value))}"
        for key, value in about.items()
    )
    parts.append(f"<h2>How this was made</h2><table class='made'>{rows}</table>")
    return "\n".join([*parts, f"<script>{_SCRIPT}</script></html>"])


_CHOICE = (
    "<p class='note'>Left of the slider: "
    "<label><input type='radio' name='before' value='input' checked> input</label> "
    "<label><input type='radio' name='before' value='truth'> truth</label>; right: the model. "
    "Drag it over the picture, or use the arrow keys.</p>"
)


def _differences_are(tables: Sequence[Table]) -> str:
    models = tables[0].models if tables else []
    if len(models) < 2:
        return "The best of each row is bold."
    return (
        f"The best of each row is bold. Below each value its difference from {_text(models[0])}, "
        "with its 95 % interval over photos."
    )


def _lines(value: object) -> list[str]:
    """A value of the record as lines of HTML: a list by its items, a table by its entries."""
    if isinstance(value, Mapping):
        entries = ((key, ", ".join(_lines(one))) for key, one in value.items())
        return [f"{_text(key)}: {line}" for key, line in entries if line] or ["none"]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [", ".join(map(_text, value)) or "none"]
    return [f"{value:.3g}" if isinstance(value, float) else _text(value)]


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


def _table(table: Table) -> str:
    metric = table.metric
    head = "".join(f"<th>{_text(model)}" for model in table.models)
    lines = []
    for row in table.rows:
        best = best_columns(row, metric)
        cells = ""
        for number, value in enumerate(row.values):
            text = format_number(value.value, metric)
            cells += f"<td><b>{text}</b>" if number in best else f"<td>{text}"
            if number and row.differences:
                cells += f"<small>{_text(_interval(row.differences[number], metric))}</small>"
        lines.append(f"<tr><td>{_text(row.name)}{cells}<td>{_count(row)}")
    title = f"{html.escape(metric.title)} {_ARROWS[metric.better]}"
    return (
        f"<h2>{title}</h2><div class='scroll'><table><tr><th>hole{head}<th>n"
        f"{''.join(lines)}</table></div>"
    )


def _sliders(sample: Sample) -> str:
    before, truth = _data_address(sample.input), _data_address(sample.truth)
    boxes = "".join(
        f"<figure class='slider'><div><img src='{_data_address(answer)}' "
        f"alt='filled by {_text(model)}'>"
        f"<img class='over' src='{before}' data-input='{before}' data-truth='{truth}' alt='before'>"
        f"<input type='range' min='0' max='100' value='50' aria-label='before or {_text(model)}'>"
        f"<span class='line'></span></div><figcaption>{_text(model)}</figcaption></figure>"
        for model, answer in sample.answers.items()
    )
    return f"<h3>{_text(sample.name)}</h3><div class='samples'>{boxes}</div>"


def _data_address(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
