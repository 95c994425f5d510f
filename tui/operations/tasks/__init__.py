"""Operations on tasks: revoking them, sending new ones or earlier ones again, their limits."""
