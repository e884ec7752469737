"""Zalo without Zalo: a server that answers as Zalo's do, for tests, and for a playground by hand."""
