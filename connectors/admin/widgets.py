"""Form fields drawn as the theme draws them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

CHECKED = SafeString(" checked")


class Choices(forms.CheckboxSelectMultiple):
    """Boxes to tick, each a word with its meaning in small print. An error's link can bring the focus to the group."""

    def __init__(self, label: str, choices: Iterable[tuple[str, str]]) -> None:
        super().__init__(choices=choices)
        self.group_label = label

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        ticked = {str(each) for each in value or ()}
        boxes = format_html_join(
            "",
            '<label class="inline"><input type="checkbox" name="{}" value="{}"{}> '
            "<span>{}<small>{}</small></span></label>",
            ((name, word, CHECKED if word in ticked else "", word, meaning) for word, meaning in self.choices),
        )
        return format_html(
            '<div class="choices" role="group" aria-label="{}" id="id_{}" tabindex="-1">{}</div>',
            self.group_label,
            name,
            boxes,
        )
