"""The receiver: reads bounded requests, hands them to writer threads, answers when their transaction is committed."""
