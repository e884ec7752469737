"""WHEN work is due: the schedule language, periods, calendars and the timeline. Pure; load.py alone reads files."""
