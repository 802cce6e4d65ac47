"""Work on a workspace as a whole: backup, restore, maintenance, keys."""
