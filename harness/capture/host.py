"""What `--host` means, in every format alike."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from harness.errors import InputError

__all__ = ["host_of", "is_meant"]

_OWN_PORT: Final = re.compile(r":(?:80|443)$")
_PORT: Final = re.compile(r":\d+$")


def host_of(text: str) -> str:
    """The host of a URL, or what was given, in lower case.

    Raises:
        InputError: it is neither.
    """
    try:
        netloc = urlsplit(text if "//" in text else f"//{text}").netloc
    except ValueError as exc:
        raise InputError(
            f"--host {text}: not a host", hint="give it as s.example or s.example:8080"
        ) from exc
    return netloc.rpartition("@")[2].lower()


def is_meant(wanted: str, named: str) -> bool:
    """Whether a host that a capture names is the one to keep.

    Without a port it has any; ports 80 and 443 need not be named by the capture.

    Args:
        wanted: as `host_of` gives it.
        named: in lower case, empty where the capture names none.
    """
    if not _PORT.search(wanted):
        return wanted == _PORT.sub("", named)
    return _OWN_PORT.sub("", wanted) == _OWN_PORT.sub("", named)
