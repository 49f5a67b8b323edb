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
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.scroll { overflow-x: auto }
.slider { position: relative; display: inline-block; margin: .4rem; width: 256px; max-width: 100% }
.slider img { display: block; width: 100% }
.slider .over { position: absolute; inset: 0; clip-path: inset(0 50% 0 0) }
.slider input { width: 100%; margin: 0 }
.note { color: #555 } .error { color: #a00 }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818 } th, td { border-color: #444 } .note { color: #aaa } }
"""

_SCRIPT = """
document.querySelectorAll('.slider').forEach(box => {
  const range = box.querySelector('input'), over = box.querySelector('.over');
  range.addEventListener('input', () => {
    over.style.clipPath = `inset(0 ${100 - range.value}% 0 0)`;
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
        *(_table(table) for table in tables),
    ]
    if errors:
        listed = "".join(f"<li>{html.escape(error)}</li>" for error in errors[:50])
        more = f"<p>and {len(errors) - 50} more</p>" if len(errors) > 50 else ""
        parts.append(f"<h2>What failed ({len(errors)})</h2><ul class='error'>{listed}</ul>{more}")
    if samples:
        parts += ["<h2>Samples</h2>", _CHOICE, *(_sliders(sample) for sample in samples)]
    rows = "".join(
        f"<tr><td>{html.escape(str(key))}<td style='text-align:left'>{html.escape(str(value))}"
        for key, value in about.items()
    )
    parts.append(f"<h2>How this was made</h2><div class='scroll'><table>{rows}</table></div>")
    return "\n".join([*parts, f"<script>{_SCRIPT}</script></html>"])


_CHOICE = (
    "<p class='note'>Left of the slider: "
    "<label><input type='radio' name='before' value='input' checked> input</label> "
    "<label><input type='radio' name='before' value='truth'> truth</label>; right: the model.</p>"
)


def _table(table: Table) -> str:
    metric = table.metric
    head = "".join(f"<th>{html.escape(model)}" for model in table.models)
    others = table.models[1:] if table.rows and table.rows[0].differences else ()
    head += "".join(f"<th>{html.escape(m)} − {html.escape(table.models[0])}" for m in others)
    lines = []
    for row in table.rows:
        best = best_columns(row, metric)
        cells = ""
        for number, value in enumerate(row.values):
            text = format_number(value.value, metric)
            cells += f"<td><b>{text}</b>" if number in best else f"<td>{text}"
        if others:
            cells += "".join(f"<td>{_interval(one, metric)}" for one in row.differences[1:])
        lines.append(f"<tr><td>{html.escape(row.name)}{cells}<td>{_count(row)}")
    title = f"{html.escape(metric.title)} {_ARROWS[metric.better]}"
    return (
        f"<h2>{title}</h2><div class='scroll'><table><tr><th>hole{head}<th>n"
        f"{''.join(lines)}</table></div>"
    )


def _sliders(sample: Sample) -> str:
    before, truth = _data_address(sample.input), _data_address(sample.truth)
    boxes = "".join(
        f"<figure class='slider'><div style='position:relative'>"
        f"<img src='{_data_address(answer)}' alt='filled by {html.escape(model, quote=True)}'>"
        f"<img class='over' src='{before}' data-input='{before}' data-truth='{truth}' alt='before'>"
        f"</div><input type='range' min='0' max='100' value='50' aria-label='before or after'>"
        f"<figcaption>{html.escape(model)}</figcaption></figure>"
        for model, answer in sample.answers.items()
    )
    return f"<h3>{html.escape(sample.name)}</h3>{boxes}"


def _data_address(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
