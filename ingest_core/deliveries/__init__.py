"""What leaves the workspace as a file: people, rejected rows or a file, to a destination, once and accounted for."""
