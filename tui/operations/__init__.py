"""Operations from key press to outcome."""
