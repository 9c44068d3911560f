-- Events of clocks that cannot be right, by what they say: a search by time bounds ids for all others (audit/search/times.py).
CREATE INDEX audit_event_skewed ON audit_event (occurred_at) WHERE flags @> ARRAY['skew'];
