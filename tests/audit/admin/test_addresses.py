from uuid import uuid4

import pytest
from django.urls import reverse, set_script_prefix

from audit.admin import addresses

VIEWS = {
    "admin:audit_session_change": [uuid4()],
    "admin:audit_event_change": [str(uuid4())],
    "admin:audit_session_panel": [uuid4(), uuid4()],
    "admin:audit_event_part": [uuid4(), "facts"],
}


@pytest.mark.parametrize(("view", "keys"), VIEWS.items(), ids=VIEWS)
@pytest.mark.parametrize("prefix", ["/", "/portal/"])
def test_it_is_what_reverse_says(view, keys, prefix):
    set_script_prefix(prefix)
    try:
        for _ in range(2):
            assert addresses.of(view, *keys) == reverse(view, args=keys)
    finally:
        set_script_prefix("/")
