from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_tree")]

    operations = [
        migrations.CreateModel(
            name="Witness",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField()),
                ("cosigned_at", models.DateTimeField(null=True)),
                (
                    "size",
                    models.BigIntegerField(help_text="Events under the last checkpoint that it cosigned.", null=True),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why the last checkpoint has no cosignature of it."),
                ),
                (
                    "contradicts",
                    models.BooleanField(default=False, help_text="It knows another history than this one."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("clean", "nothing wrong"),
                            ("faulty", "faults found"),
                            ("broken", "did not finish"),
                        ],
                        default="queued",
                    ),
                ),
                (
                    "cause",
                    models.TextField(choices=[("schedule", "Schedule"), ("command", "Command"), ("person", "Person")]),
                ),
                ("asked_by", models.TextField(blank=True, help_text="The person who asked for it.")),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "size",
                    models.BigIntegerField(
                        default=0, help_text="Events that were numbered when it began.", verbose_name="events"
                    ),
                ),
                ("total", models.BigIntegerField(default=0, help_text="Rows to look at: events, then sessions.")),
                ("done", models.BigIntegerField(default=0, help_text="Rows looked at.")),
                ("faults", models.BigIntegerField(default=0)),
                (
                    "told",
                    models.TextField(blank=True, help_text="The first faults, each on a line; why it did not finish."),
                ),
            ],
        ),
        migrations.RunSQL(
            "CREATE INDEX audit_checkpoint_size ON audit_checkpoint (size, epoch)", "DROP INDEX audit_checkpoint_size"
        ),
        migrations.RunSQL(
            "CREATE INDEX audit_cosignature_at ON audit_cosignature (at)", "DROP INDEX audit_cosignature_at"
        ),
    ]
