"""People, roles, log-ins and schedules in the portal's admin, with our manners over their packages' own admins."""

from typing import Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from audit.listing import markup
from audit.listing.changes import RecordedChanges
from audit.listing.export import DownloadAdmin
from portal import roles

PEOPLE = (("People", "auth.user"), ("Roles", "auth.group"))
LOGINS = (
    ("Locked or failing", "axes.accessattempt"),
    ("Succeeded", "axes.accesslog"),
    ("Failed", "axes.accessfailurelog"),
)
SCHEDULES = (
    ("Schedules", "django_celery_beat.periodictask"),
    ("Intervals", "django_celery_beat.intervalschedule"),
    ("Crontabs", "django_celery_beat.crontabschedule"),
    ("Fixed times", "django_celery_beat.clockedschedule"),
)

admin.site.unregister([User, Group, AccessAttempt, AccessFailureLog, AccessLog])
admin.site.unregister([PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule])


@admin.register(User)
class PeopleAdmin(RecordedChanges, DownloadAdmin, UserAdmin):
    """Who may log in, with which roles. Only superusers make superusers, and nobody else changes one."""

    act_noun = "user"
    list_title = "People and roles"
    list_add = "Add a person"
    list_siblings = PEOPLE
    empty_value_display = ""
    list_display = ("username", "full_name", "email", "held_roles", "state", "last_login")
    list_filter = ("groups", "is_active", "is_superuser")
    list_plain = ("full_name", "email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "What this person may do",
            {
                "fields": ("is_active", "is_staff", "groups", "is_superuser"),
                "description": "Roles say what is seen and done. A role that is used here also opens the "
                "admin (“Staff status”). SIEM exporters need no log-in: issue an API token for them.",
            },
        ),
        ("Single rights beyond the roles", {"classes": ("collapse",), "fields": ("user_permissions",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("groups")

    def act_facts(self, user: User) -> dict[str, bool]:
        return {name.removeprefix("is_"): getattr(user, name) for name in ("is_active", "is_staff", "is_superuser")}

    def act_content(self, user: User) -> dict[str, str]:
        held = ", ".join(sorted(user.groups.values_list("name", flat=True)))
        return {"account": user.get_username(), "email": user.email, "roles": held}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fields = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fields += ["is_superuser", "user_permissions"]
            if obj == request.user:  # roles are given by somebody else
                fields += ["groups", "is_staff", "is_active"]
        return fields

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A role that is used in the admin opens it: whoever is newly given one may log in without a second tick."""
        user = form.instance
        before = set(user.groups.values_list("name", flat=True))
        super().save_related(request, form, formsets, change)
        given = roles.for_browsers(user.groups.values_list("name", flat=True)) - before
        if given and not user.is_staff:
            user.is_staff = True
            user.save(update_fields=["is_staff"])
            messages.info(request, f"{user} may now log in, for the role {', '.join(sorted(given))}.")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="roles")
    def held_roles(self, user: User) -> SafeString:
        names = ["Superuser"] if user.is_superuser else []
        names += [group.name for group in user.groups.all()]
        told = format_html_join(" ", "{}", ((markup.tag(name),) for name in names))
        return told or mark_safe('<span class="faint">none</span>')

    @admin.display(description="may log in", ordering="is_active")
    def state(self, user: User) -> SafeString:
        if not user.is_active:
            return markup.state("off", "Switched off")
        return (
            markup.state("ok", "Yes")
            if user.is_staff and not roles.is_api_only(user)
            else markup.state("off", "API only")
        )


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or request.user.is_superuser


@admin.register(Group)
class RolesAdmin(RecordedChanges, DownloadAdmin, GroupAdmin):
    """What each role may, and who has it."""

    act_noun = "role"
    list_title = "Roles"
    list_add = "Add a role"
    list_siblings = PEOPLE
    list_display = ("name", "purpose", "people")
    list_minor = ("purpose",)
    fields = ("name", "purpose", "people", "permissions")
    readonly_fields = ("purpose", "people")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("user_set")

    def act_facts(self, group: Group) -> dict[str, str]:
        held = group.permissions.values_list("content_type__app_label", "codename")
        return {"permissions": " ".join(sorted(f"{app}.{codename}" for app, codename in held))}

    @admin.display(description="what it is for")
    def purpose(self, group: Group) -> str:
        return roles.purpose(group.name)

    @admin.display(description="who has it")
    def people(self, group: Group) -> SafeString:
        if not group.pk or not (people := group.user_set.all()):
            return mark_safe('<span class="faint">nobody</span>')
        links = ((reverse("admin:auth_user_change", args=[user.pk]), user.get_username()) for user in people)
        return format_html_join(", ", '<a href="{}">{}</a>', links)


@admin.register(AccessAttempt)
class AttemptsAdmin(RecordedChanges, DownloadAdmin, AccessAttemptAdmin):  # type: ignore[misc]
    """Failed log-ins that still count. Deleting one lets that person try again."""

    act_noun = "lockout"
    list_title = "Log-ins"
    list_empty = (
        "Whoever fails to log in stands here until they succeed. Too many times, and they are locked for half an hour."
    )
    list_siblings = LOGINS
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "status")
    list_filter = ("attempt_time",)


@admin.register(AccessLog)
class LoginsAdmin(DownloadAdmin, AccessLogAdmin):  # type: ignore[misc]
    list_title = "Log-ins that succeeded"
    list_empty = "Each log-in stands here, with the address that it came from."
    list_siblings = LOGINS
    empty_value_display = ""
    list_display = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    list_long = ("user_agent",)
    list_filter = ("attempt_time",)


@admin.register(AccessFailureLog)
class FailuresAdmin(DownloadAdmin, AccessFailureLogAdmin):  # type: ignore[misc]
    list_title = "Log-ins that failed"
    list_empty = "Each log-in that failed stands here, with the address that it came from."
    list_siblings = LOGINS


@admin.register(PeriodicTask)
class SchedulesAdmin(RecordedChanges, DownloadAdmin, beat.PeriodicTaskAdmin):  # type: ignore[misc]
    act_noun = "schedule"
    list_title = "Schedules"
    list_add = "Add a schedule"
    list_siblings = SCHEDULES
    list_lede = "run by the worker"
    change_list_template = "admin/djcelery/change_list.html"
    date_hierarchy = None
    list_display = ("name", "enabled", "scheduler", "last_run_at", "one_off")
    list_filter = ("enabled", "one_off")
    empty_value_display = ""

    def act_facts(self, task: PeriodicTask) -> dict[str, Any]:
        return {"task": task.task, "enabled": task.enabled}

    def get_fieldsets(self, request: HttpRequest, obj: PeriodicTask | None = None) -> Any:
        """Without the sun: its times need a package that is not installed."""
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field != "solar"]})
            for name, options in super().get_fieldsets(request, obj)
        ]


@admin.register(IntervalSchedule)
class IntervalsAdmin(RecordedChanges, DownloadAdmin, beat.IntervalScheduleAdmin):  # type: ignore[misc]
    act_noun = "schedule"
    list_title = "Intervals"
    list_add = "Add an interval"
    list_empty = "A schedule that runs again and again needs one."
    list_siblings = SCHEDULES


@admin.register(CrontabSchedule)
class CrontabsAdmin(RecordedChanges, DownloadAdmin, beat.CrontabScheduleAdmin):  # type: ignore[misc]
    act_noun = "schedule"
    list_title = "Crontabs"
    list_add = "Add a crontab"
    list_empty = "A schedule that runs at certain times of days, weeks or months needs one."
    list_siblings = SCHEDULES


@admin.register(ClockedSchedule)
class FixedTimesAdmin(RecordedChanges, DownloadAdmin, beat.ClockedScheduleAdmin):  # type: ignore[misc]
    act_noun = "schedule"
    list_title = "Fixed times"
    list_add = "Add a time"
    list_empty = "A schedule that runs once needs one."
    list_siblings = SCHEDULES
