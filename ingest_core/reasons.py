"""The catalogue of reasons a row is rejected for: one list for screens, command line, mail and reject files.

Adding a reason is one entry here; ``docs/reasons.md`` is generated from it and checked.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One way a row can fail: stable code, short title, explanation and what to do about it."""

    code: str
    title: str
    explanation: str
    fix: str


_ENTRIES = (
    # The line itself
    Reason(
        "missing_cell",
        "Too few cells",
        "The line has fewer cells than the header has columns.",
        "Add the missing separators, or check for a line break inside a cell.",
    ),
    Reason(
        "extra_cell",
        "Too many cells",
        "The line has more cells than the header has columns.",
        "Remove the extra separator, or quote the cell that contains it (CSV).",
    ),
    Reason(
        "line_too_long",
        "Line too long",
        "The line is longer than the limit of one line (1 MiB unless changed; 100 KiB in Audience Manager files).",
        "Shorten the line; a missing line break often joins several rows.",
    ),
    Reason(
        "bad_encoding",
        "Broken characters",
        "The line holds bytes that are not characters in the file's encoding.",
        "Save the file as UTF-8 and load it again.",
    ),
    Reason(
        "control_character",
        "Control character",
        "A cell holds a NUL or another control character.",
        "Remove the invisible character from the cell.",
    ),
    Reason(
        "open_quote",
        "Quote not closed",
        "A quoted cell is not closed, or text follows its closing quote.",
        'Close the quote, or double a quote that is part of the text ("").',
    ),
    # The person
    Reason(
        "no_identifier",
        "No identifier in the row",
        "None of the mapped identifier columns has a value.",
        "Fill at least one identifier, such as the customer id, e-mail or phone.",
    ),
    Reason(
        "blocked_identifier",
        "Only unusable identifiers",
        "All identifiers of the row are placeholders (such as 0000000000 or n/a) or too short to name anybody.",
        "Give a real identifier, or remove the value from the blocked list.",
    ),
    # The types
    Reason(
        "too_long",
        "Text too long",
        "The text is longer than 65,536 characters.",
        "Shorten the text.",
    ),
    Reason(
        "not_a_number",
        "Not a number",
        "The cell is not a number in the column's format.",
        "Write digits with at most one decimal sign, and check the decimal sign of the column.",
    ),
    Reason(
        "number_out_of_range",
        "Number too large or too precise",
        "Numbers hold up to 28 digits before and 10 after the decimal sign.",
        "Round the number or store the column as text.",
    ),
    Reason(
        "not_an_integer",
        "Not a whole number",
        "The cell is not a whole number.",
        "Remove the decimals, or make the attribute a number.",
    ),
    Reason(
        "not_a_boolean",
        "Not yes or no",
        "The cell is none of true/false, yes/no, y/n, t/f, on/off, 1/0.",
        "Use one of these words.",
    ),
    Reason(
        "not_a_date",
        "Not a date",
        "The cell is not a real calendar date in the column's format.",
        "Correct the date, or choose the right date format for the column.",
    ),
    Reason(
        "not_a_datetime",
        "Not a date and time",
        "The cell is not a real date and time in the column's format.",
        "Correct the value, or choose the right format for the column.",
    ),
    Reason(
        "not_an_email",
        "Not an e-mail address",
        "The cell is not written like name@domain.tld.",
        "Correct the address.",
    ),
    Reason(
        "not_a_phone",
        "Not a phone number",
        "The cell is not a possible phone number.",
        "Write it with country code (+44 20 7946 0018) or choose the country of the column.",
    ),
    Reason(
        "phone_needs_country",
        "Phone number without country",
        "The number has no country code and no default country is set.",
        "Choose the phone country of the source or column, or write numbers with +country code.",
    ),
    Reason(
        "spreadsheet_damage",
        "Damaged by a spreadsheet",
        "The number was turned into scientific notation (9.19E+11); its last digits are lost.",
        "Export the column again as text.",
    ),
    Reason("not_a_url", "Not a web address", "The cell is not an http or https address.", "Correct the address."),
    Reason(
        "not_a_country",
        "Not a country",
        "The cell is neither an ISO 3166 code nor a country name.",
        "Use a two-letter code such as DE.",
    ),
    Reason(
        "not_a_currency",
        "Not a currency code",
        "The cell is not an ISO 4217 code.",
        "Use a three-letter code such as EUR.",
    ),
)

# Lines of Audience Manager data files: user id, tab, items
_DATA_LINES = (
    Reason("bad_utf8", "Not UTF-8 here", "The line holds bytes that are no UTF-8.", "Save the file as UTF-8."),
    Reason("control_char", "Invisible sign", "The line holds a NUL, a lone CR or another invisible sign.",
           "Remove the character."),
    Reason("trailing_whitespace", "White space at the end", "The line ends with a tab or a space.",
           "Remove it; such lines are not realised."),
    Reason("no_tab", "Tab missing", "No tab stands between user id and traits.",
           "Put one tab after the user id (a real tab, no spaces and no backslash-t)."),
    Reason("extra_tab", "Tab too many", "More tabs stand in the line than its form has.",
           "Keep the tab after the user id only; leave empty values empty."),
    Reason("empty_user_id", "No user id", "Nothing stands before the tab.", "Write the user id."),
    Reason("whitespace_around_user_id", "Space around the user id", "The user id begins or ends with a space.",
           "Remove the space."),
    Reason("colon_in_user_id", "Colon in the user id", "The user id holds a colon, plain or as %3A.",
           "Use an id without colon."),
    Reason("pii_in_user_id", "E-mail address as user id", "The user id holds an e-mail address.",
           "Use an id that says nothing about the person, or the SHA-256 of the address."),
    Reason("no_items", "No items", "Nothing but commas stands after the tab.", "Write at least one trait or signal."),
    Reason("bad_item", "Not an item", "An item is no number, no removal and no key=value.",
           "Write d_sid=24, 24, 28:0 or key=value; separate items with commas."),
    Reason("bad_trait_id", "Not a trait id", "After d_sid and d_unsid stand 1 to 18 digits.",
           "Write the trait's number."),
    Reason("bad_removal_suffix", "Not a removal", "After a trait's colon stands neither 0 nor -1.",
           "Write 28:0 or 28:-1, without spaces."),
    Reason("unbalanced_quote", "Quote without partner", "The line holds an odd number of quotes.",
           "Close the quote; quotes cannot be part of a value."),
    Reason("junk_after_quote", "Text after a quote", "Text follows a closing quote.",
           "Quote the whole key or value; doubled quotes and backslashes are no escapes."),
    Reason("stray_quote", "Quote inside a text", "A quote stands inside a key or value that does not begin with one.",
           "Quote the whole key or value, or remove the quote."),
    Reason("empty_key", "Empty key", "Nothing but spaces and dashes stands before the =.", "Name the key."),
    Reason("double_equals", "Two equals signs", "The value begins with =; == belongs to rules.", "Write one =."),
    Reason("odc_bad_id_type", "Unknown id type", "The first column names no id type.", "Write idfa or gaid."),
    Reason("odc_mixed_id_types", "Two id types in one file", "The file began with ids of another type.",
           "Send one file per id type."),
    Reason("invalid_aam_id", "Not an Audience Manager id", "The id is not 38 digits.",
           "Send the id as it was received."),
    Reason("invalid_device_id", "Not a device id of this source", "The id has not the form that its source asks for.",
           "Send the raw id: IDFA in upper case, GAID in lower case, never hashed."),
)  # fmt: skip

DATA_LINE_REASONS: dict[str, Reason] = {reason.code: reason for reason in _DATA_LINES}
"""Why a line of an Audience Manager data file is refused, in the order in which its checks run."""

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ENTRIES} | DATA_LINE_REASONS
"""All reasons by code, in catalogue order. The position of a code is the order in which a row's codes are named."""
