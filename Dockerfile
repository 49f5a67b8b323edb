# The page and its API: core tier and web extra, nothing else. No shell is needed, no root, no disk.
#
#   docker build -t regionwise .
#   docker run --rm --read-only --cap-drop ALL -p 127.0.0.1:8000:8000 regionwise
#
# Then open http://127.0.0.1:8000. For a network give it a token: -e REGIONWISE_TOKEN=... and publish
# the port on another address; --allow-host NAME if browsers call it by a name.

FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /regionwise \
    && /regionwise/bin/pip install --no-cache-dir --constraint constraints.txt ".[web]" \
    && /regionwise/bin/pip uninstall --yes pip

FROM python:3.12-slim
COPY --from=build /regionwise /regionwise
RUN useradd --system --uid 10001 --no-create-home regionwise
USER 10001
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/regionwise/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["/regionwise/bin/regionwise", "serve", "--host", "0.0.0.0", "--no-open"]
