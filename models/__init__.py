"""WHAT is kept: one file a concept: its table, its transitions, its named queries."""

from models import tables as tables  # a foreign key finds its table whatever was imported first
