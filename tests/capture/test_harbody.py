from __future__ import annotations

from typing import Any

import pytest

from harness.capture.harbody import content

MULTIPART = "multipart/form-data; boundary=B"


@pytest.mark.parametrize(
    "data", [None, {"mimeType": "", "text": ""}, {"mimeType": "a/b", "params": []}, {}]
)
def test_an_empty_body_is_none(data: object) -> None:
    """Firefox and Fiddler write an empty postData for each GET."""
    assert content({"postData": data})[0] == b""


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ({"mimeType": "application/json", "text": '{"ü":1}'}, '{"ü":1}'.encode()),
        ({"text": "AAEC", "encoding": "base64"}, b"\x00\x01\x02"),
        ({"text": "x", "params": [{"name": "y", "value": "1"}]}, b"x"),
        (
            {"params": [{"name": "a b", "value": "&"}, {"name": "c"}]},
            b"a+b=%26&c=",
        ),
    ],
)
def test_bodies(data: dict[str, Any], body: bytes) -> None:
    """Text counts before params, params are encoded as a form."""
    assert body == content({"postData": data})[0]


def test_multipart_is_rebuilt() -> None:
    """Params of a multipart body become its parts, files with their bytes."""
    params = [
        {"name": 'a"', "value": "1"},
        {
            "name": "f",
            "fileName": "x.txt",
            "contentType": "text/plain",
            "value": "data:text/plain;base64,aGk=",
        },
    ]
    body, kind = content(
        {
            "headers": [["Content-Type", MULTIPART]],
            "postData": {"mimeType": "multipart/form-data", "params": params},
        }
    )
    assert MULTIPART == kind
    assert body == (
        b'--B\r\nContent-Disposition: form-data; name="a%22"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhi\r\n--B--\r\n"
    )


def test_a_missing_boundary_is_made() -> None:
    """A multipart type without its boundary gets one, named in the type."""
    data = {"mimeType": "multipart/form-data", "params": [{"name": "a", "value": "1"}]}
    body, kind = content({"postData": data})
    assert body.startswith(b"--" + kind.partition("boundary=")[2].encode() + b"\r\n")
