"""Tasks: their progress and failures, and which of them are lost or need a check."""
