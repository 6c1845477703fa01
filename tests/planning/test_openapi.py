from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.errors import InputError
from harness.planning.openapi import documented_paths

if TYPE_CHECKING:
    from pathlib import Path

PATHS = {"/orders/{orderId}": {"get": {}}, "/x-notes": {"summary": "no method"}}


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({"openapi": "3.1.0"}, ("/orders/{orderId}",)),
        (
            {
                "servers": [
                    {"url": "https://a.test/v1/"},
                    {"url": "/v2"},
                    {"url": "/{b}"},
                    {"url": "https://[your-domain]/v3"},
                    {"url": 7},
                    {
                        "url": "https://{region}.a.test/{version}",
                        "variables": {"version": {"default": "v4"}, "region": {}},
                    },
                ]
            },
            (
                "/orders/{orderId}",
                "/v1/orders/{orderId}",
                "/v2/orders/{orderId}",
                "/v4/orders/{orderId}",
            ),
        ),
        (
            {"swagger": "2.0", "basePath": "/v1"},
            ("/orders/{orderId}", "/v1/orders/{orderId}"),
        ),
    ],
)
def test_paths(
    tmp_path: Path, beside: dict[str, object], expected: tuple[str, ...]
) -> None:
    """Those with a method, with and without the base path of a server."""
    path = tmp_path / "api.json"
    path.write_text(json.dumps({**beside, "paths": PATHS}))

    assert expected == documented_paths(path)


def test_yaml(tmp_path: Path) -> None:
    """YAML will do; without a document there is no path."""
    path = tmp_path / "api.yaml"
    path.write_text("paths:\n  /a/{b}:\n    $ref: other.yaml\n")

    assert ("/a/{b}",) == documented_paths(path)
    assert () == documented_paths(None)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has `paths`"),
        (b"paths: []", "has `paths`"),
        (b"paths: {", ":2:1: neither JSON nor YAML"),
        (b"\xff\xfe", "neither JSON nor YAML"),
        (b"[" * 99_999, "neither JSON nor YAML"),
        (None, "cannot be read"),
    ],
)
def test_no_document(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    """What is none is named, with its place."""
    path = tmp_path / "api.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputError, match=complaint) as caught:
        documented_paths(path)
    assert "api.yaml" in caught.value.message
