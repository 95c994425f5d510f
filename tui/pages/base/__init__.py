"""The bases of pages: panes, a subject with its charts, a traceback."""
