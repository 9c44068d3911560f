"""Pages of tokens: by keyset, newest first."""

import re

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class TokenPagination(CursorPagination):
    """`page_size` is 1 to 1000; anything else is a mistake worth telling, not one to correct in silence."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int:
        wanted = request.query_params.get("page_size", str(self.page_size))
        if not re.fullmatch("[0-9]{1,4}", wanted) or not 1 <= int(wanted) <= self.max_page_size:
            raise ValidationError({"page_size": [f"A number from 1 to {self.max_page_size}."]})
        return int(wanted)
