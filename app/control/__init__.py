"""The control planes of the clouds, as far as drills need them: look, fail over, restore beside, discard."""
