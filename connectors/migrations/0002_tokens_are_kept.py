from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("connectors", "0001_tokens")]

    operations = [
        migrations.RunSQL(
            (SQL / "0002_tokens_are_kept.sql").read_text(encoding="utf-8"),
            reverse_sql=(SQL / "0002_tokens_are_kept.reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
