"""Who used what, and what it cost: user-days of vendors and of telemetry, and which of them is believed.

    events, points ──counting──▶ tallies, levels ──cells──▶ UsageDay of telemetry ─┐
    pulls ──store──────────────────────────────────────▶ UsageDay of vendors ──────┴─precedence─▶ reading ─▶ page, REST

docs/usage.md tells the rules.
"""
