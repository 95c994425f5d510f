"""Operations, their calls and outcomes, as values."""
