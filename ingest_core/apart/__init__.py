"""Reading in a process of its own what no parser in this one should be trusted with (docs/files.md, "Limits")."""
