# The whole service on its embedded log and SQLite: `docker compose up`.
# Images of a release are pinned by digest; here the tag keeps the file readable.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements.lock .
RUN .venv/bin/pip install --require-hashes --requirement requirements.lock
COPY . .
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q detectors triage streaming triage_ui cli

FROM python:3.11-slim
# Owned by root and not writable for the service; what it writes is in /data and its cache.
COPY --from=build /app /app
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin triage \
    && install -d -o triage -g triage -m 0700 /data /home/triage/.cache
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/home/triage/.cache/numba
USER triage
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8050
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8050/health', timeout=2)"]
# No password: the log shows a sign-in link that works once; `triage sign-in` makes another.
ENTRYPOINT ["triage"]
CMD ["demo", "--data", "/data", "--host", "0.0.0.0"]
