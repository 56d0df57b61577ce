"""Provisions a session database: one Pulumi program, and a driver that runs it without any set-up."""
