"""Operations on workers: remote-control commands, and draining."""
