"""Why a connection failed: errors of libraries as faults with advice."""
