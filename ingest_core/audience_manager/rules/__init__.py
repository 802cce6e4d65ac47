"""Rules of traits over signals and of segments over traits (Audience Manager spec §12–§14)."""

from ingest_core.audience_manager.rules.comparison import Comparison
from ingest_core.audience_manager.rules.errors import RuleTextError
from ingest_core.audience_manager.rules.segment_rule import Qualification, SegmentRule, parse_segment_rule
from ingest_core.audience_manager.rules.trait_rule import TraitRule, parse_trait_rule

__all__ = [
    "Comparison",
    "Qualification",
    "RuleTextError",
    "SegmentRule",
    "TraitRule",
    "parse_segment_rule",
    "parse_trait_rule",
]
