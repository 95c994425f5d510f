"""The numbered views: Overview, Tasks, Workers, Queues and the others."""
