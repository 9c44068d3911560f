"""What models cost, as it was known on 2026-11-28. From then on the table is the administrator's."""

import datetime as dt
from decimal import Decimal

from django.db import migrations

ANTHROPIC = "Anthropic's pricing page, read by 2026-11"
OPENAI = "OpenAI's model and pricing pages, read by 2026-11"
RELEASE_NOTES = "third-party release notes; not on the vendor's page"

# model, input, output, cache read, write (5 minutes), write (1 hour)
CLAUDE = [
    ("claude-fable-5-1", "10", "50", "0.25", "12.50", "20", {"first_day": dt.date(2026, 9, 1)}),
    ("claude-mythos-5-1", "10", "50", "0.25", "12.50", "20", {"first_day": dt.date(2026, 9, 1)}),
    ("claude-fable-5", "10", "50", "1.00", "12.50", "20", {}),
    ("claude-mythos-5", "10", "50", "1.00", "12.50", "20", {}),
    ("claude-opus-5-5", "4", "20", "0.20", "5", "8", {"origin": "Anthropic's page of the model, 2026-09-23"}),
    *((f"claude-opus-{version}", "5", "25", "0.50", "6.25", "10", {}) for version in ("5", "4-8", "4-7", "4-6", "4-5")),
    *(
        (f"claude-opus-{version}", "10", "50", "1.00", "12.50", "20", {"fast": True})
        for version in ("5", "4-8")
    ),
    *((f"claude-opus-{version}", "15", "75", "1.50", "18.75", "30", {}) for version in ("4-1", "4-0", "4")),
    (
        "claude-sonnet-5-5", "2", "10", "0.20", "2.50", "4",
        {"last_day": dt.date(2026, 10, 6), "verified": False, "origin": RELEASE_NOTES},
    ),
    (
        "claude-sonnet-5-5", "2", "10", "0.10", "2.50", "4",
        {"first_day": dt.date(2026, 10, 7), "verified": False, "origin": RELEASE_NOTES},
    ),
    ("claude-sonnet-5", "2", "10", "0.20", "2.50", "4", {}),
    *((f"claude-sonnet-{version}", "3", "15", "0.30", "3.75", "6", {}) for version in ("4-6", "4-5", "4-0", "4")),
    ("claude-haiku-5-5", "0.10", "0.50", "0.01", "0.125", "0.20", {"verified": False, "origin": RELEASE_NOTES}),
    (
        "claude-haiku-5-5", "0.50", "2.50", "0.05", "0.625", "1.00",
        {"above_tokens": 100_000, "verified": False, "origin": RELEASE_NOTES},
    ),
    ("claude-haiku-4-5", "1", "5", "0.10", "1.25", "2", {}),
    *((name, "0.80", "4", "0.08", "1", "1.60", {}) for name in ("claude-3-5-haiku", "claude-haiku-3-5")),
]  # fmt: skip
GPT = [
    ("gpt-6.2-sol", "2", "10", "0.10", "2.50", "5", {}),
    ("gpt-6.2-astra", "8", "40", "0.40", None, None, {"verified": False, "origin": "derived; not on OpenAI's page"}),
    ("gpt-6.1-sol", "2", "10", "0.10", "2.50", None, {}),
    ("gpt-6-astra", "10", "50", "1.00", None, None, {}),
    ("gpt-6-sol", "2", "10", "0.20", "2.50", None, {}),
    ("gpt-6-luna", "0.10", "0.50", "0.01", "0.125", None, {}),
    ("gpt-5.6-sol", "4", "20", None, None, None, {"verified": False, "origin": RELEASE_NOTES}),
    ("gpt-5.6-luna", "0.20", "1.20", None, None, None, {"verified": False, "origin": RELEASE_NOTES}),
    ("gpt-5.5", "5", "30", "0.50", None, None, {}),
    ("gpt-5.4", "2.50", "15", "0.25", None, None, {}),
    ("gpt-5.4-mini", "0.75", "4.50", "0.075", None, None, {}),
    ("gpt-5.4-nano", "0.20", "1.25", "0.02", None, None, {}),
    ("gpt-5-codex", "1.25", "10", "0.125", None, None, {}),
]


def seed(apps, schema_editor):
    Price = apps.get_model("connectors", "Price")
    for origin, rows in ((ANTHROPIC, CLAUDE), (OPENAI, GPT)):
        for model, cost_in, cost_out, read, write, write_1h, more in rows:
            Price.objects.using(schema_editor.connection.alias).create(
                model=model,
                input=Decimal(cost_in),
                output=Decimal(cost_out),
                cache_read=read and Decimal(read),
                cache_write_5m=write and Decimal(write),
                cache_write_1h=write_1h and Decimal(write_1h),
                **{"verified": True, "origin": origin, **more},
            )


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0004_connections"),
    ]

    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
