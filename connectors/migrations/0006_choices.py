from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # what is counted and pulled meanwhile is not kept waiting
    dependencies = [("connectors", "0005_prices")]

    operations = [
        AddIndexConcurrently(
            model_name="usageday",
            index=models.Index(fields=["connection", "endpoint", "day"], name="connectors_usageday_feed"),
        ),
        AddIndexConcurrently(
            model_name="usageday",
            index=models.Index(fields=["agent", "model", "day"], name="connectors_usageday_model"),
        ),
        AddIndexConcurrently(
            model_name="usageday",
            index=models.Index(fields=["team", "day"], name="connectors_usageday_team"),
        ),
    ]
