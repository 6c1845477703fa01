from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.exposition import Series, exposed

PAGE = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",path="/a}b\\"c"} 1027 1395066363000
http_requests_total{method="get"} 3
# TYPE pool gauge
pool 7
# TYPE took histogram
took_bucket{le="+Inf"} 9
took_sum 1.5e3
took_count 9
# TYPE lag summary
lag{quantile="0.5"} 0.2
lag_count 4
untyped_total 1
untyped 2
broken NaN
far +Inf
pool 8
started_created 1.7e9
# EOF
"""


def test_page() -> None:
    """Counters count, and what of histograms and summaries only rises."""
    assert {
        'http_requests_total{method="post",path="/a}b\\"c"}': Series(True, 1027),
        'http_requests_total{method="get"}': Series(True, 3),
        "pool": Series(False, 7),
        'took_bucket{le="+Inf"}': Series(True, 9),
        "took_sum": Series(True, 1500),
        "took_count": Series(True, 9),
        'lag{quantile="0.5"}': Series(False, 0.2),
        "lag_count": Series(True, 4),
        "untyped_total": Series(True, 1),
        "untyped": Series(False, 2),
    } == exposed(PAGE)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<!doctype html>", "not a page of metrics: '<!doctype html>'"),
        ('{"a": 1}', "not a page of metrics"),
        ("pool many", "no number of a metric: 'pool many'"),
        ("pool{a=", "not a page of metrics"),
    ],
)
def test_no_page(page: str, message: str) -> None:
    """What is no page of metrics is named by the line that is none."""
    with pytest.raises(ValueError, match=message):
        exposed(page)


def test_bounded() -> None:
    """Of a page without end the first 20,000 series are read."""
    assert 20_000 == len(exposed("\n".join(f"a{n} 1" for n in range(30_000))))


@given(st.text())
def test_any_text(page: str) -> None:
    """Whatever the page says, it is read or refused."""
    with suppress(ValueError):
        exposed(page)
