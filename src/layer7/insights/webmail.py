"""A letter as the body of an HTML e-mail: tables, inline styles, no script, nothing fetched from elsewhere.

E-mail clients drop SVG, style sheets or both. So the charts are tables whose cells have a colour and a width,
and every style that matters stands in its element; the style sheet only adds dark colours and narrow screens.
"""

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, Template

from layer7.contract.insights import WeeklyInsights
from layer7.insights.markdown import HEADINGS, told_curve
from layer7.insights.words import day_words, percent

_TEMPLATE = """\
{%- macro bar(label, value, share, colour) -%}
<tr><td class="l7-soft" style="padding:2px 10px 2px 0;color:#5b6773;font-size:13px;white-space:nowrap">\
{{ label }}</td><td width="100%" style="padding:2px 0"><table role="presentation" width="100%" \
cellpadding="0" cellspacing="0" border="0"><tr>{% if share > 0 %}<td width="{{ share }}%" \
bgcolor="{{ colour }}" style="background:{{ colour }};height:14px;line-height:14px;font-size:1px;\
border-radius:3px">&nbsp;</td>\
{% endif %}<td class="l7-text" style="padding-left:8px;color:#1d2730;font-size:13px;white-space:nowrap">\
{{ value }}</td></tr></table></td></tr>
{%- endmacro -%}
{%- macro chart(title, rows, colour) -%}
<p class="l7-soft" style="margin:12px 0 4px;color:#5b6773;font-size:13px">{{ title }}</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
{% for row in rows %}{{ bar(row.label, row.value, row.share, colour) }}
{% endfor %}</table>
{%- endmacro -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>Your week from {{ start }}</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .l7-page { background: #12181e !important; }
  .l7-card { background: #1b242c !important; border-color: #2f3b46 !important; }
  .l7-text { color: #e8edf1 !important; }
  .l7-soft { color: #a3b1bd !important; }
  .l7-head { color: #7fd6c8 !important; }
}
@media (max-width: 480px) {
  .l7-card { padding: 18px !important; }
}
</style>
</head>
<body class="l7-page" style="margin:0;padding:0;background:#f2f5f7">
<table role="presentation" class="l7-page" width="100%" cellpadding="0" cellspacing="0" border="0" \
bgcolor="#f2f5f7" style="background:#f2f5f7"><tr><td align="center" style="padding:20px 10px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px">
<tr><td class="l7-card" style="background:#ffffff;border:1px solid #dde4ea;border-radius:10px;padding:28px;\
font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;text-align:left">
<p class="l7-soft" style="margin:0;color:#5b6773;font-size:14px">Your week from {{ start }}</p>
{% for text in opening %}<h1 class="l7-text" style="margin:6px 0 0;color:#1d2730;font-size:21px;\
line-height:1.35;font-weight:600">{{ text }}</h1>
{% endfor %}{% if weeks %}{{ chart("Applications sent, by week", weeks, "#1f8a7a") }}
{% endif %}{% for part in parts %}<h2 class="l7-head" style="margin:24px 0 6px;color:#12685c;font-size:16px;\
line-height:1.3">{{ part.heading }}</h2>
{% for text in part.texts %}<p class="l7-text" style="margin:0 0 8px;color:#1d2730;font-size:15px;\
line-height:1.5;overflow-wrap:anywhere">{{ text }}</p>
{% endfor %}{% if part.name == "silence" and curve %}{{ chart(curve_title, curve, "#c98a1b") }}
{% endif %}{% endfor %}<p class="l7-soft" style="margin:28px 0 0;color:#5b6773;font-size:12px;\
line-height:1.5">Every sentence rests on a finding that you can look at; what was learned of you can be \
corrected, forgotten or switched off.{% if read_to %} Read up to {{ read_to }}.{% endif %}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
"""


def to_html(letter: WeeklyInsights) -> str:
    """Give a letter as a whole HTML document; everything that others wrote is escaped.

    Args:
        letter: the letter.
    """
    told = [
        {
            "name": part,
            "heading": heading,
            "texts": [_unbroken(each.text) for each in letter.sentences if each.part == part],
        }
        for part, heading in HEADINGS.items()
    ]
    return _template().render(
        start=day_words(date.fromisoformat(letter.week_start)),
        read_to=None if letter.as_of is None else day_words(_last_day(letter.as_of)),
        opening=[_unbroken(each.text) for each in letter.sentences if each.part == "opening"],
        parts=[part for part in told if part["texts"]],
        weeks=_weeks(letter),
        curve=_curve(letter),
        curve_title="Chance that an interview still comes, by days of silence",
    )


def _unbroken(text: str) -> str:
    """Keep a number and its percent sign on one line."""
    return text.replace(" %", "\u00a0%")


def _last_day(as_of: str) -> date:
    """The last day that was read: the log is read up to the end of a day, which is the start of the next."""
    return (datetime.fromisoformat(as_of) - timedelta(seconds=1)).date()


@cache
def _template() -> Template:
    return Environment(autoescape=True).from_string(_TEMPLATE)


def _weeks(letter: WeeklyInsights) -> list[dict[str, Any]]:
    most = max((week.applications for week in letter.weeks), default=0)
    if not most:
        return []
    return [
        {
            "label": day_words(date.fromisoformat(week.week_start), short=True),
            "value": str(week.applications),
            "share": _share(week.applications, most),
        }
        for week in letter.weeks
    ]


def _curve(letter: WeeklyInsights) -> list[dict[str, Any]]:
    points = told_curve(letter)
    most = max((point.chance for point in points), default=0.0)
    return [
        {
            "label": f"day {point.days}",
            "value": percent(point.chance),
            "share": _share(point.chance, most),
        }
        for point in points
    ]


def _share(value: float, most: float) -> int:
    """Width of a bar in percent: room is left for its number."""
    return max(round(80 * value / most), 1) if value > 0 else 0
