"""PostgreSQL and Valkey as children of our own processes: found, started without root's rights, watched, stopped."""
