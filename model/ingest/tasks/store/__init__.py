"""The held tasks, with their texts, types and relations, and which of them stay."""
