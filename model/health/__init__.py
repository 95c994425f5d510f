"""Health: what needs an operator's attention, with the evidence and the next step."""
