"""The fake vendor by hand: `python -m tests.vendor --port 9400 --users 60 --days 90`. Ctrl-C ends it."""

import argparse
import datetime as dt
import signal
import sys
import threading

from tests.vendor.faults import PASSING
from tests.vendor.keys import Keys
from tests.vendor.server import FakeVendor

parser = argparse.ArgumentParser(prog="python -m tests.vendor", description=__doc__)
parser.add_argument("--port", type=int, default=9400)
parser.add_argument("--users", type=int, default=60)
parser.add_argument("--days", type=int, default=90)
parser.add_argument("--faults", type=float, default=0.0, help="so many of all answers (0…1) fail")
parser.add_argument("--seed", default="acme")
options = parser.parse_args()

yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
vendor = FakeVendor(
    options.users,
    options.days,
    last_day=yesterday,
    seed=options.seed,
    port=options.port,
    now=lambda: dt.datetime.now(dt.UTC),
)
vendor.faults.at_rate(options.faults, kinds=PASSING)
revoked = Keys.of(f"{options.seed}/old").admin
vendor.revoked.add(revoked)
ended = threading.Event()
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda *_: ended.set())
with vendor:
    sys.stdout.write(
        f"A fake vendor with {options.users} people, from {vendor.company.first_day} to {yesterday}.\n\n"
        "Start the portal with\n"
        f"  CONNECTORS_ANTHROPIC_URL={vendor.url}\n"
        f"  CONNECTORS_OPENAI_URL={vendor.url}\n\n"
        "Keys\n"
        f"  Claude Console       {vendor.keys.admin}\n"
        f"  Claude Enterprise    {vendor.keys.analytics}\n"
        f"    without its scope  {vendor.keys.without_scope}\n"
        f"  OpenAI               {vendor.keys.openai_admin}\n"
        f"  of the wrong kind    {vendor.keys.standard}\n"
        f"  revoked              {revoked}\n"
    )
    sys.stdout.flush()
    ended.wait()
