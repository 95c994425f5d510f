"""The filter language, sort orders, and the incremental views built from them."""
