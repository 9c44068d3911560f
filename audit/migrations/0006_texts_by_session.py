from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # what is recorded meanwhile is not kept waiting
    dependencies = [("audit", "0005_skewed_events")]

    operations = [
        AddIndexConcurrently(
            model_name="searchtext",
            index=models.Index(fields=["session"], name="audit_searchtext_session"),
        ),
    ]
