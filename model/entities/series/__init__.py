"""Values over time: rates, distributions and sampled series, each of bounded size."""
