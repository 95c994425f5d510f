"""Operations on tasks: revoking them, and sending new ones or earlier ones again."""
