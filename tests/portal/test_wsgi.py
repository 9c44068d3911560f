import subprocess
import sys

from tests.processes import PROJECT

LOADED = """
import gc
import portal.wsgi
import portal.urls
left = [each for each in gc.get_objects() if type(each).__name__ in ("URLPattern", "ModelBase")]
print(gc.get_freeze_count() > 50_000, len(left))
"""


def test_the_collector_leaves_alone_what_every_request_needs() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "0"]
