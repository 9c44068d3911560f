"""The roster of installations: which clients send with which token, folded from sealed events in their order."""
