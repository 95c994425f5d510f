"""The limits that users set: kept tasks, thresholds of findings, alert rules."""
