"""What older ADK versions left in a database, read as data and never run."""
