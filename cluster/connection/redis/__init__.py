"""Access to kombu's keys and channels on Redis, in fewer commands than kombu needs."""
