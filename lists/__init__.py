"""The lists that screens and commands share: their columns, orders and search texts."""
