"""Named sets of profiles: a rule tree, never a copied list."""
