"""REST: sessions, timelines, events and the lists made of them, and the feed (DESIGN §5.3, docs/api.md).

Who may ask is settled outside (the authentication class in the settings); here only `request.auth.scopes` counts.
"""
