# One image for web, worker, ticker and migrate. Built from the locked, hashed requirements; runs as nobody special.
FROM python:3.11-slim AS built
WORKDIR /src
COPY requirements.prod.lock ./
RUN python -m venv /opt/scanguide \
 && /opt/scanguide/bin/pip install --no-cache-dir --require-hashes -r requirements.prod.lock
COPY pyproject.toml README.md LICENSE ./
COPY messages messages
COPY flows flows
COPY service service
COPY workers workers
COPY simulator simulator
RUN /opt/scanguide/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 scanguide
COPY --from=built /opt/scanguide /opt/scanguide
ENV PATH=/opt/scanguide/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/tmp
USER scanguide
EXPOSE 8000
CMD ["scanguide", "serve"]
