"""`{% load portal %}`: the markup of evidence for templates, and what the theme's own templates need."""

from typing import Any

from django.template import Library
from django.utils.safestring import SafeString, mark_safe

from audit.listing import charts, markup, words

register = Library()

for name in ("badge", "grade", "icon", "minibar", "mode", "outcome", "state", "time", "warning", "zone"):
    register.simple_tag(getattr(markup, name), name=name)
for name in ("claim", "milliseconds", "money", "number", "size", "tag", "visible", "visible_lines", "visible_plain"):
    register.filter(name, getattr(markup, name))
register.filter("sparkline", charts.sparkline)
register.filter("span", words.span)

_MESSAGE_ICONS = {"success": "check", "warning": "warn", "error": "warn"}


@register.simple_tag
def message_icon(level: str) -> SafeString:
    return markup.icon(_MESSAGE_ICONS.get(level, "q"))


@register.filter
def without_colon(label: SafeString) -> SafeString:
    """A form's label as the theme writes labels: without the colon that Django puts at its end."""
    return mark_safe(str(label).replace(":</label>", "</label>"))  # noqa: S308 - markup that Django escaped


@register.inclusion_tag("portal/chart.html")
def chart(drawing: charts.Chart) -> dict[str, Any]:
    return {"chart": drawing}
