"""Reading what result backends keep of tasks: their results, arguments and progress.

Nothing here makes a Celery app, reads the environment, or loads a pickle.
"""

from .opening import open_results as open_results
from .reader import ResultReader as ResultReader
from .reader import ResultsError as ResultsError
