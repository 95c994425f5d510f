"""Operations on queues: pausing, purging and reading them."""
