"""The command line. Headless: only `monitor.py` imports Textual, when the monitor opens."""
