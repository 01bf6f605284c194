"""From a sample of a topic or file to a first config: draw, profile, draft."""
