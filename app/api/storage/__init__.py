"""Where ADK keeps sessions, artifacts and memories, and what a client is told when that fails."""
