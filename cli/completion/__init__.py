"""What a shell completes, from the cluster and its history."""
