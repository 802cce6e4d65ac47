"""Placeholder while the rule tree is rewritten."""
