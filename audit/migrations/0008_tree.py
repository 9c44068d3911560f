from django.db import migrations

from audit.migrations import _sql


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_unjudged")]

    operations = [migrations.RunSQL(_sql.read("0008_tree.sql"), _sql.read("0008_tree.reverse.sql"))]
