"""Other names under which files carry the built-in attributes, and the few words that say nothing in a header.

Every entry is written as ``names.squash`` leaves it: lower case, no accents or separators. Adding one is one word here.
"""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SYNONYMS: dict[str, frozenset[str]] = {
    name: _set(words)
    for name, words in {
        "crmid": """
            customerid custid clientid userid memberid accountid contactid crmkey crmnumber crmno customerno customernr
            customernumber customernum customerkey clientno clientnr clientnumber custno custnr custnum custnumber
            kundennummer kundennr kundenid kdnr kdnummer numeroclient idclient clienteid idcliente customerref
            externalid loyaltyid cdid uid uuid mitgliedsnummer profileid personid
        """,
        "email": """
            mail emailaddress emailaddr emailid mailaddress mailid eml emailadresse mailadresse courriel
            correo correoelectronico adressemail adresseemail emailaddress1 emailprimary primaryemail
        """,
        "phone": """
            hm mobile cell tel telephone phonenumber phoneno phonenr phonenum mobilenumber mobileno mobilenr mobilephone
            cellphone cellnumber homephone homemobile handy handynummer handynr telefon telefonnummer telefono telnr
            telno telnumber portable msisdn mob mobil mobilnummer contactnumber contactno celular whatsapp
        """,
        "first_name": """
            fname firstname givenname forename vorname prenom nombre christianname firstnm givennames rufname
        """,
        "last_name": """
            lname lastname surname familyname nachname familienname nomdefamille apellido apellidos lastnm sirname sname
        """,
        "birth_date": """
            dob birthday birthdate dateofbirth bdate bday geburtsdatum geburtstag gebdatum datenaissance datedenaissance
            fechanacimiento fechadenacimiento borndate
        """,
        "gender": "sex geschlecht sexe genero sexo gendercode",
        "city": "town ort stadt wohnort ville ciudad cityname locality suburb municipality",
        "region": "state province county bundesland provincia departement stateprovince statecode administrativearea",
        "postal_code": """
            zip zipcode postcode postalcode plz postleitzahl pincode pin cp codepostal codigopostal zippostalcode
        """,
        "country": "countrycode land pays pais countryname countryiso iso2 nation countryregion",
        "language": "lang languagecode locale sprache langue idioma preferredlanguage langcode",
    }.items()
}

NOISE = _set(
    """
    customer cust client user member contact person personal primary main home work private business billing shipping
    the my their value field col column text new current latest
    """
)
"""Words of a header that do not change what the rest of it names: ``billing_city`` is a city."""

PII_WORDS = _set(
    """
    name fullname firstname lastname surname street strasse address addr adresse address1 address2 addressline1
    ssn socsecid socialsecurity passport iban bic creditcard cardnumber nationalid taxid aadhaar pan birthplace ip
    ipaddress deviceid idfa gaid licence license contactname username
    """
)
"""Header names that hold personal data though no built-in attribute is named so."""
