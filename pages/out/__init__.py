"""What leaves the workspace: places, deliveries, a new delivery."""
