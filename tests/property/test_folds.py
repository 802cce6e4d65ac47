"""Three answers to one question: the incremental folds, the rebuild, and the reference (quality.md I1, I2, I6)."""

from __future__ import annotations

from hypothesis import given

from ingest_core.models import Receipt
from tests.property.files import judged, uploads
from tests.property.product import FIELDS, Product, Templates
from tests.property.reference import Reference, Upload

LIMIT = 2


def check(product: Product, reference: Reference, upload: Upload) -> None:
    """Loads one upload on both sides and compares everything."""
    expected = reference.load(upload)
    receipt = product.load(upload)
    assert receipt.model_dump(include=set(expected)) == expected
    assert product.state() == reference.state
    check_joins(receipt, reference)
    r = receipt
    assert r.lines == r.blank + r.stored + r.rejected + r.duplicates + r.suppressed + r.withheld
    assert r.stored == r.created + r.updated + r.unchanged
    assert r.profiles_after == r.profiles_before + r.created - r.merged + r.came_apart - r.removed


def check_joins(receipt: Receipt, reference: Reference) -> None:
    """Who becomes one with whom, figure by figure."""
    if receipt.identity is None or "sizes" not in reference.joins:
        return
    identity, expected = receipt.identity, reference.joins
    assert [group.size for group in identity.largest] == expected["sizes"][:10]
    assert (identity.groups, identity.profiles) == (len(expected["sizes"]), sum(expected["sizes"]))
    assert all(len({one.profile_id for one in group.profiles}) == group.size for group in identity.largest)
    counted = {
        "conflicts": {one.attribute: one.contested + one.foreign for one in identity.met},
        "contested": {one.attribute: one.contested for one in identity.met},
        "shared": {one.attribute: one.shared for one in identity.met},
        "newly_shared": {one.attribute: one.newly_shared for one in identity.met},
    }
    for name, found in counted.items():
        assert {attribute: values for attribute, values in found.items() if values} == expected[name], name
    assert identity.shared_rows == expected["shared_rows"]
    assert identity.most_lines is not None
    assert identity.most_lines.count == expected["most_lines"]


def check_rebuild(product: Product, reference: Reference) -> None:
    """A rebuild finds what the loads left."""
    before = product.ws.digest()
    rebuilt = product.ws.rebuild()
    assert product.state() == reference.state
    assert {name: rebuilt[name] for name in before} == before


@judged(20)
@given(history=uploads())
def test_incremental_folds_rebuild_and_reference_agree(templates: Templates, history: list[Upload]) -> None:
    with templates.workspace(shared_limit=LIMIT, threads=2) as product:
        reference = Reference(list(FIELDS.values()), LIMIT)
        for upload in history:
            check(product, reference, upload)
            check_rebuild(product, reference)
