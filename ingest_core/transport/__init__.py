"""Ways out of (and into) a workspace over a network, each behind a small port."""
