"""The snapshot of a cluster: its records, their notes, and the document made of them."""
