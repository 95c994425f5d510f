"""The budgets of celtop, measured beside its peers; not part of the wheel."""
