"""Where PII lives: keys, tokens, encrypted pages and landing files. One door decides who may see a value."""

from ingest_core.vault.keys import Keyset, load_keyset
from ingest_core.vault.landing import LandingSource, LandingWriter, LandingZone
from ingest_core.vault.tokens import CLEARED, token, tokens

__all__ = ["CLEARED", "Keyset", "LandingSource", "LandingWriter", "LandingZone", "load_keyset", "token", "tokens"]
