class ServerError(Exception):
    """An embedded server cannot run; the message is one sentence that says why and what to do."""
