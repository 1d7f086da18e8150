"""Studies: steps that never run twice, and the only place where steps meet."""
