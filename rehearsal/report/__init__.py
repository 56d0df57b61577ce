"""What a rehearsal found: verdicts, a timeline, the drills; as JSON and as one page that needs nothing beside it."""
