"""Commands that run without a screen: collector, history, checks and metrics."""
