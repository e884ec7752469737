"""WHEN things run: thin Prefect flows over engine/."""
