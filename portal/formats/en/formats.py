"""Dates and numbers where Django formats them itself (read-only fields of forms): unambiguous, and in UTC."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = r"j M Y H:i:s \U\T\C"
