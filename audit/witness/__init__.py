"""A witness of logs (C2SP tlog-witness), to be run by somebody else on another host, and what asks it for cosignatures.

It knows nothing of the evidence. It remembers how far each log had grown, and cosigns only what grew from that: so a
log whose keeper rewrites it, with the key in hand, finds no second witness to the new history.
"""
