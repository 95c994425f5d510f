"""What kombu keeps on Redis, read and written in fewer commands than kombu needs."""
