from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from harness.capture.pseudonym import Pseudonyms
from harness.capture.redact import Redactor
from harness.capture.rulefile import read_rules
from harness.errors import InputError
from harness.model.traffic import Exchange, Request, Response
from tests.capture.conftest import redacted_by

if TYPE_CHECKING:
    from pathlib import Path

RULES = r"""
add:
  - name: customer_(id|no)
  - value: CUST-\d{4}
  - name: ref
allow: [page_token, theme, X-Api-Key]
drop: [X-Debug]
"""


def test_rules(tmp_path: Path) -> None:
    """Names and values are added, names allowed, headers removed; and counted."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    redactor = Redactor(b"k", read_rules(path))
    hide = Pseudonyms(b"k").of
    target = "/o/CUST-1234?Customer_No=77123&page_token=abcdef&preference=red&ref=a4"
    headers = (
        ("x-api-key", "public-Key-1234"),
        ("cookie", "theme=dark; sid=x1y2z3"),
        ("x-debug", "1"),
    )
    redacted = redacted_by(
        redactor,
        Exchange(
            start_ns=0,
            client="c",
            request=Request(method="GET", target=target, headers=headers),
            response=Response(
                status=200,
                headers=(("x-debug", "2"),),
                body=b'{"customer_id": 77123, "pageToken": "abcdef", "x": "CUST-1234"}',
            ),
        ),
    )
    number = hide("77123")
    assert (
        f"/o/{hide('CUST-1234')}?Customer_No={number}&page_token=abcdef"
        f"&preference=red&ref={hide('a4')}" == redacted.request.target
    )
    assert [
        ("x-api-key", "public-Key-1234"),
        ("cookie", f"theme=dark; sid={hide('x1y2z3')}"),
    ] == [*redacted.request.headers]
    assert redacted.response is not None
    assert () == redacted.response.headers
    body = {"customer_id": int(number), "pageToken": "abcdef", "x": hide("CUST-1234")}
    assert body == json.loads(redacted.response.body or b"")
    counts = {each.reason: each.count for each in redactor.redacted()}
    assert {"by rule": 5, "cookie": 1, "dropped header": 2} == counts


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1: rules are a mapping of add, allow, drop to lists"),
        ("[x]", "1:1: rules are a mapping"),
        ("add: {name: x}", "1:6: add: a list is wanted, as [{name: customer_id}]"),
        ("alow: [x]", "1:1: `alow` is not a key here; did you mean `allow`?"),
        ("zzz: [x]", "1:1: `zzz` is not a key here; keys here: add, allow, drop"),
        ("allow: [x]\nadd:\n- nam: x", "3:3: add: `nam` is not a key here; did you"),
        ("add: [x]", "1:7: add: {name: regex} or {value: regex} is wanted"),
        ("add: [{name: x, value: y}]", "1:7: add: {name: regex} or {value: regex}"),
        ("add: [{name: 4}]", "1:7: add: name: a regular expression is wanted; put it"),
        ("add:\n- value: '['", "2:3: add: value: not a regular expression of Python"),
        ("add: [{value: 'a{99999999999}'}]", "1:7: add: value: not a regular"),
        ("add: [{value: x*}]", "1:7: add: value: it matches an empty text"),
        ("allow: [1]", "1:9: allow: a name is wanted, as [page_token]; put it in"),
        ("drop: ['a b']", "1:8: drop: `a b` is no header's name"),
        ("allow: [x]\nallow: [y]", "2:1: `allow` is given twice"),
        ("allow: [x", "1:10: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    """Each complaint has file, line and column, and says what is wanted."""
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(f"{path}:{complaint}")):
        read_rules(path)


def test_all_complaints_come_at_once(tmp_path: Path) -> None:
    """One on a line; a file that is not there is named too."""
    path = tmp_path / "rules.yaml"
    path.write_text("add: [x]\nallow: [1]\nfoo: 1\n")
    with pytest.raises(InputError) as caught:
        read_rules(path)
    assert caught.value.message.count("\n") == 2
    with pytest.raises(InputError, match="there is no such file"):
        read_rules(tmp_path / "none.yaml")


def test_empty_lists_are_no_rules(tmp_path: Path) -> None:
    """As after the last rule was commented out."""
    path = tmp_path / "rules.yaml"
    path.write_text("add:\nallow: []\n")
    rules = read_rules(path)
    assert ((), (), frozenset()) == (rules.names, rules.values, rules.allowed)
