"""A sample organisation to try dondoc with; every contact is a role at example.org."""
