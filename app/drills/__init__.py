"""Drills: what a production database promises, tried on it under load, with a report."""
