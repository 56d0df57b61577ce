"""Copies all sessions from one database to another: from a laptop to production, between servers, and back."""

from app.promotion.promotion import Copied, Promoted, promote

__all__ = ["Copied", "Promoted", "promote"]
