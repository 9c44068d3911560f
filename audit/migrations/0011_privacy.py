import django.contrib.postgres.fields
import django.core.validators
import django.utils.timezone
from django.db import migrations, models

from audit.migrations import _sql


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_packs")]

    operations = [
        migrations.RunSQL(_sql.read("0011_privacy.sql"), _sql.read("0011_privacy.reverse.sql")),
        migrations.CreateModel(
            name="Erased",
            fields=[
                ("commitment", models.BinaryField(primary_key=True, serialize=False)),
                ("part", models.TextField()),
            ],
            options={
                "db_table": "audit_erased",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("person", "person"),
                            ("session", "session"),
                            ("repository", "repository"),
                            ("query", "query"),
                        ],
                        verbose_name="covers",
                    ),
                ),
                (
                    "value",
                    models.TextField(help_text="Who or what: an e-mail or account, a session, a repository, a query."),
                ),
                ("reason", models.TextField()),
                ("placed_by", models.TextField()),
                ("placed_at", models.DateTimeField(verbose_name="placed")),
                ("released_by", models.TextField(null=True)),
                ("released_at", models.DateTimeField(null=True, verbose_name="released")),
                ("release_reason", models.TextField(null=True)),
            ],
            options={
                "verbose_name": "legal hold",
                "db_table": "audit_hold",
                "managed": False,
                "default_permissions": ("add", "change", "view"),
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subjects", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("reason", models.TextField()),
                ("asked_by", models.TextField(verbose_name="asked by")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="asked")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("held", "held"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                    ),
                ),
                ("hold_id", models.BigIntegerField(null=True, verbose_name="held by")),
                ("contents", models.BigIntegerField(default=0, verbose_name="contents erased")),
                ("points", models.BigIntegerField(default=0, verbose_name="metric points deleted")),
                ("identities", models.BigIntegerField(default=0, verbose_name="identities erased")),
                ("total", models.BigIntegerField(default=0, verbose_name="contents in all")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "default_permissions": ("add", "view"),
                "indexes": [models.Index(fields=["-asked_at", "-id"], name="audit_erasure_asked_at")],
            },
        ),
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "part",
                    models.TextField(
                        choices=[
                            ("content", "content: prompts, commands, tool input"),
                            ("identity", "identity: who it was"),
                            ("facts", "facts: the event itself, with all that is left of it"),
                        ]
                    ),
                ),
                (
                    "kind",
                    models.TextField(
                        blank=True,
                        choices=[
                            ("", "every other kind"),
                            ("prompt", "prompt"),
                            ("response", "response"),
                            ("tool_decision", "tool decision"),
                            ("tool_result", "tool result"),
                            ("mode_change", "mode change"),
                            ("mcp_connection", "mcp connection"),
                            ("api_request", "api request"),
                            ("api_error", "api error"),
                            ("auth", "auth"),
                            ("hook", "hook"),
                            ("plugin", "plugin"),
                            ("skill", "skill"),
                            ("compaction", "compaction"),
                            ("subagent", "subagent"),
                            ("policy", "policy"),
                            ("session", "session"),
                            ("admin", "admin"),
                            ("other", "other"),
                        ],
                        default="",
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        help_text="Counted from when an event was received.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "exception",
                    models.TextField(
                        blank=True,
                        help_text="Why less than six months is right here, and who decided it. Needed below 183 days.",
                    ),
                ),
            ],
            options={
                "verbose_name": "retention rule",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("part", "kind"),
                        name="audit_retentionrule_part_kind",
                        violation_error_message="There is a rule for this part and kind already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("days__gte", 183), models.Q(("exception", ""), _negated=True), _connector="OR"
                        ),
                        name="audit_retentionrule_days",
                    ),
                    models.CheckConstraint(condition=models.Q(("days__gte", 1)), name="audit_retentionrule_not_zero"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("part", "identity"), _negated=True), ("kind", ""), _connector="OR"
                        ),
                        name="audit_retentionrule_identity",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("asked_by", models.TextField(verbose_name="asked by")),
                (
                    "state",
                    models.TextField(
                        choices=[("running", "running"), ("done", "done"), ("failed", "failed")], default="running"
                    ),
                ),
                ("rules", models.JSONField(default=list, help_text="As they were then.")),
                ("contents", models.BigIntegerField(default=0, verbose_name="contents erased")),
                ("identities", models.BigIntegerField(default=0, verbose_name="identities erased")),
                ("facts", models.BigIntegerField(default=0, verbose_name="facts erased")),
                ("events", models.BigIntegerField(default=0, verbose_name="events purged")),
                (
                    "months",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None, verbose_name="months purged"
                    ),
                ),
                ("kept", models.JSONField(default=list, help_text="What was due and stays, and why.")),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "retention run",
                "default_permissions": ("add", "view"),
                "indexes": [models.Index(fields=["-started_at", "-id"], name="audit_retentionrun_started_at")],
            },
        ),
    ]
