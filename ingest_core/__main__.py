"""``python -m ingest_core``: the services of a workspace on the command line."""

import sys

from ingest_core.cli.main import main

sys.exit(main())
