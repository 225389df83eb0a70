"""Facts -> HTML: Jinja with everything escaped, and a few words for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.web.draw.charts import bars, columns, spark
from dataops_mesh.web.facts.wrong import KINDS
from dataops_mesh.web.links import Link

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
STYLE = FOLDER / "style.css"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
GLYPHS = {"well": "✓", "watch": "!", "wrong": "✕", "off": "○"}
# What ODCS calls its comparisons, as people say it.
SPOKEN = {
    "mustBeGreaterOrEqualTo": "must be at least", "mustBeLessOrEqualTo": "must be at most",
    "mustBeGreaterThan": "must be more than", "mustBeLessThan": "must be less than",
    "mustNotBeBetween": "must not be between", "mustBeBetween": "must be between",
    "mustNotBe": "must not be", "mustBe": "must be",
}  # fmt: skip
_NAMED = re.compile(rf"\b(?:{'|'.join(SPOKEN)})\b")


def render(template: str, link: Link, **facts: Any) -> str:
    """Return a page.

    Args:
        template: the name of its file.
        link: says where other pages are.
        facts: what the template is about.
    """
    return _templates().get_template(template).render(link=link, **facts)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        when=when,
        age=age,
        count=count,
        number=number,
        seconds=seconds,
        share=share,
        span=span,
        spoken=spoken,
        leads=leads,
    )
    made.globals.update(spark=spark, bars=bars, columns=columns, glyphs=GLYPHS, kinds=KINDS)
    made.globals.update(spoken_share=share, spoken_span=span)
    return made


def when(value: datetime | str | None) -> str:
    """Return a moment to the minute, in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}" if value else ""


def age(value: datetime | None, now: datetime) -> str:
    """Return how long ago something was.

    >>> age(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 3, tzinfo=UTC))
    '2 days ago'
    """
    if value is None:
        return "never"
    past = max((now - value).total_seconds(), 0)
    for length, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if past >= length:
            number = int(past // length)
            return f"{number} {name}{'' if number == 1 else 's'} ago"
    return "just now"


def count(value: Any) -> str:
    """Return a number with grouped digits."""
    return "" if value is None else f"{value:,}"


def number(value: float | str | None) -> str:
    """Return what a check observed; of a fraction six digits.

    >>> number(26115.0), number(0.016388888), number("18446744073709551615"), number(None)
    ('26,115', '0.0163889', '18446744073709551615', '')
    """
    if not isinstance(value, float):
        return value if isinstance(value, str) else count(value)
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.6g}"


def share(value: float | None) -> str:
    """Return a share of one in percent; a dash where there is nothing to measure.

    >>> share(0.25), share(None)
    ('25 %', '-')
    """
    return "-" if value is None else f"{100 * value:.3g} %"


def span(hours: float | None) -> str:
    """Return a length of time, in the unit that people would say.

    >>> span(0.5), span(30.0), span(100.0)
    ('30 min', '30 h', '4.2 d')
    """
    if hours is None:
        return "-"
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.3g} h" if hours < 48 else f"{hours / 24:,.1f} d"  # noqa: PLR2004 - two days


def spoken(rule: str) -> str:
    """Return a rule, or why it was broken, with its comparison as people say it.

    >>> spoken("rows mustBeGreaterOrEqualTo 1.")
    'rows must be at least 1.'
    >>> spoken("2 rows; the contract says mustBe 0")
    '2 rows; the contract says it must be 0'
    """
    return _NAMED.sub(lambda found: SPOKEN[found[0]], rule).replace("says must", "says it must")


def leads(url: str) -> bool:
    """Tell whether an address is one that a link may lead to.

    >>> leads("mailto:shop@mesh.example"), leads("javascript:alert(1)"), leads("#shop")
    (True, False, False)
    """
    return url.startswith(("https://", "http://", "mailto:"))


def seconds(value: float | None) -> str:
    """Return how long something took."""
    if value is None:
        return ""
    return f"{value:.1f} s" if value < _MINUTE else f"{value / _MINUTE:.1f} min"
