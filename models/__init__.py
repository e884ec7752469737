"""WHAT is kept: one file a concept: its table, its transitions, its named queries."""
