"""Actions and keys as data: one table feeds keys, footer, help, palette and README."""
