"""Prometheus metrics of clusters, and the HTTP server that they are scraped from.

The values come from the model; `prometheus_client` only writes them down (`exposition`).
"""
