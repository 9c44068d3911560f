"""Evidence packs: a zip that proves itself to whoever has the verifier and the policy (docs/ledger.md, "Packs").

scope      which numbers a pack covers
making     writes one: events, proofs, checkpoint, report, verifier, manifest
tally      what its lines disclose, counted as they go by; steps: their timeline in words
report     the page for people
archive, manifest, proofs   the files of the zip
work       packs that were asked for: made by a worker, resumed, given out, discarded
"""
