"""The steps that all commands which change the cluster share."""
