"""Equal after normalising, equal token; and the other way round (quality.md I10)."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.mapping.types import data_type
from ingest_core.vault import token, tokens
from ingest_core.vault.keys import new_keyset
from tests.property.files import judged

KEY = new_keyset().token_key(2)
WRITTEN = {
    "email": st.from_regex(r"[aAbB]{1,2}(\.[aAé])?@[xX]\.(com|COM|de)", fullmatch=True),
    "phone": st.from_regex(r"(\+1|001|\+44)[ .-]?4155550[ ]?10[0-3]", fullmatch=True),
    "string": st.lists(st.sampled_from(["a", "A", "é", "e\u0301", " ", "\u00a0", "ﬁ", "Å", "\u212b"]), max_size=3).map(
        "".join
    ),
}


@pytest.mark.parametrize("kind", WRITTEN)
@judged(60)
@given(data=st.data())
def test_tokens_are_equal_where_normal_forms_are(kind: str, data: st.DataObject) -> None:
    pair = [data.draw(WRITTEN[kind]) for _ in range(2)]
    normal = data_type(kind).convert(pa.array(pair, pa.string()), None).text
    assert data_type(kind).convert(normal, None).text.equals(normal)
    made = tokens(KEY, normal).to_pylist()
    texts = normal.to_pylist()
    assert made == [None if text is None else token(KEY, text) for text in texts]
    assert (made[0] == made[1]) == (texts[0] == texts[1])
