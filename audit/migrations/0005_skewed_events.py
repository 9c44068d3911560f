from django.db import migrations

from audit.migrations import _sql


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_decisions_by_day")]

    operations = [
        migrations.RunSQL(_sql.read("0005_skewed_events.sql"), reverse_sql=_sql.read("0005_skewed_events.reverse.sql"))
    ]
