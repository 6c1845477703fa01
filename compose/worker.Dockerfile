ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}
WORKDIR /seatrial
COPY pyproject.toml README.md LICENSE ./
COPY harness harness
COPY compose/shop compose/shop
RUN pip install --no-cache-dir .
ENTRYPOINT ["seatrial", "worker"]
