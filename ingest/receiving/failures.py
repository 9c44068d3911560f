"""Which failures of the database a retry can mend.

Unknown means: it can (503). Only what the database says of the data itself is final.
"""

import psycopg

# SQLSTATE classes: 22 data exception, 54 program limit exceeded (PostgreSQL 15 Appendix A)
_ABOUT_THE_DATA = ("22", "54")


def is_final(error: Exception) -> bool:
    """Whether the same data would be refused again. Values that psycopg itself cannot adapt carry no SQLSTATE."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        return state.startswith(_ABOUT_THE_DATA) if state else isinstance(error, psycopg.DataError)
    return isinstance(error, (ValueError, TypeError, OverflowError, ArithmeticError))
