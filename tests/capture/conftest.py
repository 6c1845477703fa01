"""One exchange through what an import does with batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.capture.batch import batches_of

if TYPE_CHECKING:
    from harness.capture.redact import Redactor
    from harness.model.traffic import Exchange


def redacted_by(redactor: Redactor, exchange: Exchange) -> Exchange:
    [batch] = batches_of([exchange])
    [redacted] = redactor.redact(batch).exchanges()
    return redacted
