"""Stored JSON documents: their version, and what is said of one that cannot be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.errors import ComparisonError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Document", "newer"]

_Content = TypeVar("_Content")


def newer(where: Path | str, version: object, newest: int) -> str:
    """That a file is of a version which does not exist yet."""
    return (
        f"{where}: written by a newer Seatrial: it has schema {version}, this one reads"
        f" up to {newest}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[_Content]):
    """One kind of document.

    Attributes:
        content: reads and writes what it holds besides its version.
        version: that is written, and the newest that is read.
        key: what the version is called in it.
        remedy: what to do about one that is broken.
    """

    content: TypeAdapter[_Content]
    version: int = 1
    key: str = "schema"
    remedy: str

    def text(self, value: _Content) -> str:
        """The document that holds a value."""
        content = self.content.dump_python(value, mode="json")
        return json.dumps({self.key: self.version, **content}, indent=2) + "\n"

    def read(self, text: str, where: Path | str) -> _Content:
        """What a document holds.

        Args:
            text: the document.
            where: what to call it in an error.

        Raises:
            ComparisonError: it is broken, or of a newer version.
        """
        self.check(text, where)
        try:
            return self.content.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the document"
            message = first["msg"].removeprefix("Value error, ")
            raise self._broken(where, f"{field}: {message}") from error

    def check(self, text: str, where: Path | str) -> None:
        """Refuse what is no JSON or of a newer version; raises what `read` does."""
        try:
            document: Any = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise self._broken(where, f"broken: {error}") from error
        version = document.get(self.key) if isinstance(document, dict) else None
        if type(version) is not int or version < 1:
            raise self._broken(where, f"{self.key}: not a version")
        if version > self.version:
            raise ComparisonError(
                newer(where, version, self.version),
                hint="update Seatrial, or move the file away",
            )

    def _broken(self, where: Path | str, message: str) -> ComparisonError:
        return ComparisonError(f"{where}: {message}", hint=self.remedy)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")
