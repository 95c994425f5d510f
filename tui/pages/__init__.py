"""The pages: of a task, worker, queue or task type, and those opened by keys such as `c`."""
