from django.db import migrations

from audit.migrations import _sql


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_kinds")]

    operations = [
        migrations.RunSQL(
            _sql.read("0003_search_statistics.sql"), reverse_sql=_sql.read("0003_search_statistics.reverse.sql")
        )
    ]
