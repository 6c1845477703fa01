import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.log import read_log

PYTHON = """\
[2026-11-27 14:38:10,969] ERROR in app: Exception on /checkout [POST]
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/shop/orders.py", line 62, in checkout
    _place(connection, order)
  File "/usr/lib/python3.11/sqlite3/dbapi2.py", line 4, in execute
    raise
sqlite3.IntegrityError: UNIQUE constraint failed: orders.number 17
10.0.0.1 - - "POST /checkout" 500
"""
CHAINED = """\
Traceback (most recent call last):
  File "/app/a.py", line 1, in read
    value = table["x"]
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/b.py", line 2, in answer
    read()
ValueError: nothing there
INFO next
"""
ONE = """\
Traceback (most recent call last):
  File "/app/a.py", line 1, in read
KeyError: 'x'
"""
OTHER = """\
Traceback (most recent call last):
  File "/app/b.py", line 2, in go
TypeError: none
"""
JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: broken
    at java.util.Map.get(Map.java:12)
    at com.shop.Cart.total(Cart.java:40)
    at com.shop.Main.main(Main.java:3)
Caused by: com.shop.PriceException: none
    ... 3 more
"""
NODE = """\
TypeError: Cannot read properties of undefined (reading 'price')
    at Object.get (node:internal/a.js:1:1)
    at total (/app/src/cart.js:12:9)
    at async answer (/app/src/web.js:3:1)
"""
GO = """\
panic: runtime error: index out of range [5] with length 3

goroutine 7 [running]:
runtime.gopanic(0x1)
\t/usr/go/src/runtime/panic.go:1 +0x1
main.total(0xc000)
\t/app/cart.go:12 +0x1d
"""


def kinds(text: str) -> list[tuple[str, str, int]]:
    log = read_log(text.encode().splitlines())
    return [
        (kind.severity, kind.words, each.entries) for kind, each in log.kinds.items()
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PYTHON * 2,
            [
                ("error", "ERROR in app: Exception on /checkout [POST]", 2),
                ("error", "sqlite3.IntegrityError in orders.py, checkout", 2),
            ],
        ),
        (CHAINED, [("error", "ValueError in b.py, answer", 1)]),
        (
            (ONE + OTHER) * 3,
            [
                ("error", "KeyError in a.py, read", 3),
                ("error", "TypeError in b.py, go", 3),
            ],
        ),
        (
            f"{ONE}\n{OTHER}",
            [
                ("error", "KeyError in a.py, read", 1),
                ("error", "TypeError in b.py, go", 1),
            ],
        ),
        (
            JAVA,
            [
                (
                    "error",
                    "java.lang.IllegalStateException in Cart.java, com.shop.Cart.total",
                    1,
                )
            ],
        ),
        (NODE, [("error", "TypeError in cart.js, total", 1)]),
        (GO, [("error", "panic in main.total", 1)]),
        (
            "WARN pool at 17 of 20\nWARN pool at 18 of 20",
            [("warning", "WARN pool at # of #", 2)],
        ),
        ("INFO all is well\nGET /a 200\n", []),
        ("KeyError: 'x'", [("error", "KeyError: 'x'", 1)]),
        (
            "Traceback (most recent call last):",
            [("error", "Traceback (most recent call last):", 1)],
        ),
    ],
)
def test_kinds(text: str, expected: list[tuple[str, str, int]]) -> None:
    """An exception is known by type and own function, a message by its words."""
    assert expected == kinds(text)


def test_example() -> None:
    """The first entry of a kind is kept whole."""
    log = read_log(PYTHON.encode().splitlines())

    (example,) = [each.example for kind, each in log.kinds.items() if kind.raised]
    assert "\n".join(PYTHON.splitlines()[1:-1]) == example


def test_bounded() -> None:
    """Beyond 500 kinds entries are only counted, and an example has its limit."""
    words = ("".join(chr(97 + int(d)) for d in f"{n:04}") for n in range(600))
    lines = [f"ERROR {word}".encode() for word in words]

    log = read_log([*lines, b"ERROR long", *(b"  " + b"x" * 9_000 for _ in range(99))])

    assert (500, 101) == (len(log.kinds), log.others)


@given(st.lists(st.binary(max_size=40) | st.sampled_from(PYTHON.encode().splitlines())))
def test_any_bytes(lines: list[bytes]) -> None:
    """Whatever is logged, it is read."""
    read_log(lines)
