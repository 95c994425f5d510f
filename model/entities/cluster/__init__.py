"""The cluster as a whole: its status, totals and log, and other clusters on its broker."""
