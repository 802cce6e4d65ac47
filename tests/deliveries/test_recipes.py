"""Recipes give what their receivers publish, and a normal form of a normal form is itself."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.deliveries.recipes import PRESETS, RECIPES, default_recipe, fitting, recipe
from ingest_core.errors import InputError
from ingest_core.models import Attribute

PUBLISHED = {
    # developers.facebook.com, Conversions API, customer information parameters
    ("meta_email", "John_Smith@gmail.com"): "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
    ("meta_phone", "1(650)555-1212"): "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
    ("meta_name", "Mary"): "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
    ("meta_name", "정"): "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14",
    ("meta_name", "Valéry"): "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
}

NORMAL = {
    # developers.google.com, Data Manager API, formatting of user data
    ("google_email", "cloudy.sanfrancisco+shopping@gmail.com"): "cloudysanfrancisco@gmail.com",
    ("google_email", "user.name+NYC@Example.com"): "user.name+nyc@example.com",
    ("google_phone", "+1 (800) 555-0100"): "+18005550100",
    ("google_email", " Asha.Menon@GoogleMail.com "): "ashamenon@googlemail.com",
    ("google_name", " O'Brien-Smith "): "o'brien-smith",
    ("meta_name", " O'Brien-Smith "): "obriensmith",
    ("meta_name", "Mary  Ann"): "mary ann",
    ("meta_phone", "+0044 844 412 4653"): "448444124653",
    ("meta_town", "St. Mary's Bay"): "stmarysbay",
    ("meta_postal_code", "94303-5300"): "94303",
    ("meta_postal_code", "WC2H 8LG"): "wc2h8lg",
    ("meta_birth_date", "1997-02-16"): "19970216",
    ("meta_gender", "Female"): "f",
    ("meta_gender", "unknown"): "",
    ("meta_country", "US"): "us",
    ("sha256_phone", "+91 98765 44412"): "+919876544412",
    ("am_email", " Some.One@Example.COM "): "some.one@example.com",
}


@pytest.mark.parametrize(("name", "text"), PUBLISHED)
def test_a_recipe_gives_the_hash_that_its_receiver_publishes(name: str, text: str):
    assert PUBLISHED[name, text] == recipe(name)(text)


@pytest.mark.parametrize(("name", "text"), NORMAL)
def test_a_recipe_gives_the_normal_form_that_its_receiver_describes(name: str, text: str):
    normal = NORMAL[name, text]
    assert recipe(name).normalise(text) == normal
    assert recipe(name)(text) == (hashlib.sha256(normal.encode()).hexdigest() if normal else "")


def test_the_phone_forms_of_google_and_meta_differ_only_in_the_plus():
    assert recipe("google_phone").normalise("+16505551212") == "+16505551212"
    assert recipe("meta_phone").normalise("+16505551212") == "16505551212"
    assert recipe("google_phone")("+16505551212") != recipe("meta_phone")("+16505551212")


def test_audience_manager_takes_64_lower_case_hexadecimal_digits():
    assert recipe("am_email")("A@b.org") == hashlib.sha256(b"a@b.org").hexdigest()


@pytest.mark.parametrize("name", RECIPES)
@given(text=st.one_of(st.text(max_size=40), st.emails(), st.from_regex(r"\+?[0-9 ()-]{0,20}", fullmatch=True)))
def test_a_normal_form_is_its_own_normal_form(name: str, text: str):
    normal = recipe(name).normalise(text)
    assert recipe(name).normalise(normal) == normal


@pytest.mark.parametrize("name", [one.name for one in RECIPES.values() if one.is_hashed])
def test_a_hash_of_nothing_is_nothing(name: str):
    assert recipe(name)("") == ""


def test_personal_data_is_hashed_or_left_out_unless_somebody_says():
    def of(kind: str, *, pii: bool = True) -> str | None:
        return default_recipe(Attribute(attribute_id=1, name="x", display_name="X", type=kind, pii=pii))

    assert [of("email"), of("phone"), of("string"), of("date")] == ["sha256_email", "sha256_phone", None, None]
    assert of("email", pii=False) == "plain"


def test_an_attribute_is_offered_the_recipes_of_its_type_and_name():
    email = Attribute(attribute_id=1, name="work_mail", display_name="Work", type="email", pii=True)
    names = [one.name for one in fitting(email)]
    assert {"plain", "sha256_email", "google_email", "meta_email", "am_email"} <= {*names}
    assert not {"google_phone", "meta_name", "meta_gender"} & {*names}
    first = Attribute(attribute_id=2, name="first_name", display_name="First", type="string", pii=True)
    assert {"google_name", "meta_name"} <= {one.name for one in fitting(first)}


def test_presets_name_recipes_that_there_are():
    assert {name for preset in PRESETS.values() for _, name in preset.columns.values()} <= {*RECIPES}


def test_an_unknown_recipe_is_refused():
    with pytest.raises(InputError, match="no recipe 'rot13'"):
        recipe("rot13")
