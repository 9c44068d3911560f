"""Reading vendors: what is due (planning), who does it (claims), page by page (work, pages), into rows (folding).

Rows in PostgreSQL are the truth. A pull that is killed anywhere is taken up again at its next page when its lease is
over; two workers are never at the same one, because each change names the claim it was made under.
"""
