"""Build the page without a server: the same page, with the network in the browser.

python docs/demo/build.py site          takes ONNX Runtime's files from npm (some 12 MB)
python docs/demo/build.py site --runtime FOLDER    takes them from a folder

Serve the folder with any web server, over https or on localhost; after the first visit it works
without a network too, and can be installed as an app.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import regionwise.web
from regionwise.weights import bundled

HERE = Path(__file__).parent
STATIC = Path(regionwise.web.__file__).parent / "static"
RUNTIME = "onnxruntime-web@1.23.0"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self'; img-src 'self' blob: data:; connect-src 'self' blob: data:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'"
)


def main() -> None:
    """Build into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runtime", type=Path, help="a folder with ONNX Runtime's files")
    arguments = parser.parse_args()
    build(arguments.folder, arguments.runtime)
    print(f"the page is in {arguments.folder}")


def build(folder: Path, runtime: Path | None = None) -> None:
    """Write all files of the page."""
    static = folder / "static"
    static.mkdir(parents=True, exist_ok=True)
    for file in STATIC.iterdir():
        if file.suffix in (".js", ".css", ".svg", ".jpg") and not file.name.startswith("api."):
            shutil.copy(file, static)
    for name in ("server.js", "filling.js"):
        shutil.copy(HERE / name, static)
    shutil.copy(bundled.FOLDER / "small.onnx", static)
    if runtime is None:
        take_runtime(static)
    else:
        for name in RUNTIME_FILES:
            shutil.copy(runtime / name, static)
    (static / "offline.js").write_text('navigator.serviceWorker?.register("worker.js");\n')
    (static / "offline.css").write_text(
        '[data-tool="select"], [aria-label="Find"], #download-all {\n'
        "  display: none !important;\n}\n"
    )
    (folder / "index.html").write_text(page())
    (folder / "manifest.webmanifest").write_text(json.dumps(manifest(), indent=2))
    (folder / "worker.js").write_text(worker(folder))


def take_runtime(static: Path) -> None:
    """ONNX Runtime's files out of npm's package."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["npm", "pack", "--silent", RUNTIME], cwd=place, check=True)
        (package,) = Path(place).glob("*.tgz")
        with tarfile.open(package) as archive:
            for name in RUNTIME_FILES:
                member = archive.extractfile(f"package/dist/{name}")
                assert member is not None
                (static / name).write_bytes(member.read())


def page() -> str:
    """index.html with what a site needs beside."""
    text = (STATIC / "index.html").read_text()
    text = re.sub(r'<a [^>]*href="docs"[^>]*>.*?</a>', "", text, flags=re.DOTALL)
    more = (
        f'  <meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '  <link rel="manifest" href="manifest.webmanifest">\n'
        '  <link rel="stylesheet" href="static/offline.css">\n'
        '  <script type="module" src="static/offline.js"></script>\n'
    )
    return text.replace("</head>", f"{more}</head>")


def manifest() -> dict[str, object]:
    """What makes it an app."""
    return {
        "name": "regionwise",
        "short_name": "regionwise",
        "description": "Take things out of photos, without a server.",
        "start_url": "./",
        "display": "standalone",
        "background_color": "#f6f7f9",
        "theme_color": "#4456d6",
        "icons": [{"src": "static/icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }


def worker(folder: Path) -> str:
    """The service worker with the list of files and a version of its own."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    files = [file for file in files if file.name != "worker.js"]
    total = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    names = ["./", *(file.relative_to(folder).as_posix() for file in files)]
    text = (HERE / "worker.js").read_text()
    return text.replace("__VERSION__", total).replace("__FILES__", json.dumps(names))


if __name__ == "__main__":
    main()
