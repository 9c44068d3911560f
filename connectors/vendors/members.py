"""Members of an organisation. Anthropic's and OpenAI's lists of users name the same fields."""

from collections.abc import Iterator

from connectors.vendors import values
from connectors.vendors.feeds import Page
from connectors.vendors.shape import Reading, SeatRow


def read(pages: Iterator[Page]) -> Reading:
    """Each member once, as the last page that names them says. Raises VendorError for one without an id."""
    seats = {}
    for page in pages:
        for user in values.rows(page.get("data"), "data"):
            seat = SeatRow(
                values.text(user.get("id")),
                values.text(user.get("email")).lower(),
                values.text(user.get("name")),
                values.text(user.get("role")),
                values.moment(user.get("added_at")),
            )
            if not seat.external_id:
                raise values.unreadable("a member has no id")
            seats[seat.external_id] = seat
    return Reading(seats=list(seats.values()))
