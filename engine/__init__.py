"""WHAT HAPPENS: one use case a file, one transaction each: (session, ..., now) -> result."""
