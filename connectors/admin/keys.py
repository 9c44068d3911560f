"""The key ring in the admin: which keys there are, what they seal, a new one, and removing those that seal nothing."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from audit import acts
from audit.listing import markup, words
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.tasks import soon
from connectors import credentials, tasks
from connectors.credentials import rotation
from connectors.models import KeyRotation

LIST = "admin:connectors_keyrotation_changelist"


@dataclass(frozen=True, slots=True)
class RingKey:
    """A line of the table of keys; `made_at` None: it is not in the ring."""

    id: str
    made_at: Any
    secrets: int
    current: bool


def ring_keys() -> list[RingKey]:
    """The keys of the ring, newest first, then those that seal something and are gone."""
    ring, counts = credentials.ring(), rotation.counts()
    newest = ring.newest()
    there = [RingKey(key.hex(), ring.made_at(key), counts.pop(key, 0), key == newest) for key in reversed(ring.ids())]
    return there + [RingKey(key.hex(), None, count, False) for key, count in counts.items()]


class KeyRotationAdmin(ReadOnlyAdmin):
    list_title = "Key ring"
    list_lede = "rotations of the key that vendors' keys are sealed with"
    list_display = ("when", "who", "old_key", "new_key", "progress", "state")
    keysets = {"Newest first": Keyset("-id")}
    list_display_links = None
    change_list_template = "admin/connectors/keyrotation/change_list.html"

    def evidence_told(self, request: HttpRequest, cl: Any) -> str:
        return (
            "" if cl.is_narrowed else "Make a new key when somebody leaves who could read the folder, else once a year."
        )

    @admin.display(description="rotated")
    def when(self, done: KeyRotation) -> str:
        return markup.time(done.asked_at)

    @admin.display(description="by")
    def who(self, done: KeyRotation) -> str:
        return markup.visible(done.asked_by)

    @admin.display(description="sealed anew")
    def progress(self, done: KeyRotation) -> str:
        return f"{words.number(done.resealed)} of {words.number(done.total)}"

    @admin.display(description="state")
    def state(self, done: KeyRotation) -> str:
        if done.told:
            return markup.state("bad", f"{words.counted(len(done.told.splitlines()), 'secret')} did not open")
        return markup.state("ok", "Done") if done.finished_at else markup.state("warn", "Under way", "clock")

    def get_urls(self) -> list[URLPattern]:
        views = {"rotate": self.rotate_view, "remove": self.remove_view}
        return [
            *(
                path(f"{name}/", self.admin_site.admin_view(view), name=f"connectors_keyrotation_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        keys = ring_keys()
        more = {
            "keys": keys,
            "may_rotate": self._may_rotate(request),
            "removable": any(key.made_at and not key.current and not key.secrets for key in keys),
            "key_folder": credentials.ring().folder,
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def _may_rotate(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("connectors.add_keyrotation"))

    def rotate_view(self, request: HttpRequest) -> HttpResponse:
        """Makes the new key, by POST only; the secrets are sealed anew by a worker."""
        if not self._may_rotate(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        begun = rotation.begin(acts.person(request.user))
        soon(tasks.reseal_credentials)
        told = f"New secrets are sealed with key {begun.new_key} from now on."
        if begun.total:
            told += f" {words.counted(begun.total, 'older one')} will be sealed anew."
        messages.success(request, told)
        return HttpResponseRedirect(reverse(LIST))

    def remove_view(self, request: HttpRequest) -> HttpResponse:
        """Asks, then deletes the keys that seal nothing."""
        if not self._may_rotate(request):
            raise PermissionDenied
        if request.method == "POST":
            removed = rotation.remove_unused(acts.person(request.user))
            messages.success(request, f"{words.counted(len(removed), 'key')} removed.")
            return HttpResponseRedirect(reverse(LIST))
        unused = [key for key in ring_keys() if key.made_at and not key.current and not key.secrets]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Remove unused keys",
            "list_title": self.list_title,
            "list_url": reverse(LIST),
            "unused": unused,
        }
        return TemplateResponse(request, "admin/connectors/keyrotation/remove.html", context)
