"""Who should report and does not: seats and devices against what was seen and what vendors know (docs/people.md)."""
