"""Parts of the Audience Manager pages."""
