"""Reading what result backends keep of tasks: their results, arguments and progress.

Nothing here makes a Celery app, reads the environment, or loads a pickle.
"""

from .backends.base import ResultReader as ResultReader
from .backends.base import ResultsError as ResultsError
from .open import open_results as open_results
