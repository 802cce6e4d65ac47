"""The catalogue of everything that can be wrong with an Audience Manager file: one list for screens and command line.

Codes of names and files refuse the whole file, codes of lines one line; warnings refuse nothing.
docs/audience-manager.md names every code.
"""

from __future__ import annotations

from ingest_core.reasons import DATA_LINE_REASONS, Reason

_NAMES = (
    Reason("bad_scheme", "Unknown scheme", "The key does not begin with s3n://, s3:// or s3a://.",
           "Use one of these, or give the bare key."),
    Reason("bad_path", "Empty folder name", "Two slashes stand together in the key.", "Remove the second slash."),
    Reason("missing_date_prefix", "No date folder", "The file does not lie directly under date=YYYY-MM-DD.",
           "Put it under partner/date=YYYY-MM-DD/, with the UTC day of the upload."),
    Reason("bad_date", "Not a day", "The date folder is no day of the calendar written as YYYY-MM-DD.",
           "Write the UTC day of the upload with zeros, such as date=2026-03-09."),
    Reason("missing_partner", "No partner folder", "Above the date folder is no folder of a partner.",
           "Put the partner's folder before date=."),
    Reason("bad_prefix", "Unknown kind of file", "The name begins with none of ftp_dpm_, adobe_id_ and c2c_id_.",
           "Begin with ftp_dpm_ for data, adobe_id_ or c2c_id_ for ids."),
    Reason("bad_timestamp", "Timestamp not 10 digits", "The number before the mode is not a UNIX time of 10 digits.",
           "Write the seconds since 1970 (UTC), 10 digits, directly before .sync or .overwrite."),
    Reason("missing_dpid", "Data source id missing", "The name holds fewer data source ids than it needs.",
           "Write the DPID before the timestamp; an ID sync names at least two."),
    Reason("bad_dpid", "Not a data source id", "A data source id is not 1 to 10 digits without a leading zero.",
           "Write the DPID as it stands in the list of data sources."),
    Reason("too_many_ids", "Too many ids", "A data file names at most two data sources: the ids' and the traits'.",
           "Keep DPID and target only."),
    Reason("duplicate_dpid", "Data source named twice", "One data source stands for two columns.",
           "Name each data source once, in the order of the columns."),
    Reason("bad_mode", "Neither sync nor overwrite", "After the timestamp stands no mode that this kind of file has.",
           "Write .sync or .overwrite (ID syncs: .sync), in lower case."),
    Reason("bad_suffix", "Part not a number", "After the mode stands something that is no part number.",
           "Write one number of at most 10 digits, such as .2, or nothing."),
    Reason("bad_compression", "Unknown compression", "The name ends in something other than .gz, .pgp and .gpg.",
           "Compress with gzip (.gz) or encrypt with OpenPGP (.pgp, .gpg), in lower case."),
    Reason("gzip_and_pgp", "Gzip and OpenPGP together", "OpenPGP compresses already; gzip on top is not taken.",
           "Encrypt the plain file."),
    Reason("target_required", "Target missing", "The ids are from a shared namespace, which owns no traits.",
           "Name the data source whose traits the file feeds after the DPID."),
    Reason("target_is_global", "Target is a shared namespace", "Nobody's traits belong to a shared namespace.",
           "Name a data source of your own as the target."),
    Reason("c2c_needs_two_dpids", "Not two data sources", "A c2c_id file links customers to hashed e-mails.",
           "Name exactly these two."),
    Reason("c2c_global_dpid", "Devices in c2c_id", "A c2c_id file links customers; this namespace holds devices.",
           "Use adobe_id for devices."),
    Reason("unknown_data_source", "Unknown data source", "There is no data source with this DPID here.",
           "Check the number, or add the data source."),
    Reason("target_not_owned", "Target of somebody else", "The traits belong to a company that has not allowed this.",
           "Name a data source of your own, or have access granted."),
    Reason("bad_outbound_name", "Not the name of an export", "The name does not follow the destination's template.",
           "Compare it with TYPE_ORDER_MASTER_MODE_TIMESTAMP.sync."),
)  # fmt: skip

_FILES = (
    Reason("empty_file", "Empty file", "The file holds nothing but blank lines.", "Export it again."),
    Reason("file_too_large", "File too large", "Plain files may have 5 GB, compressed ones 3 GB.",
           "Split it: same name and timestamp, part numbers from 1, no line divided."),
    Reason("bad_encoding", "Not UTF-8", "The file begins like UTF-16 or UTF-32, or holds NUL bytes.",
           "Save it as UTF-8."),
    Reason("compression_mismatch", "Name and content differ", "The name says plain text, the bytes are an archive.",
           "Add .gz, .pgp or .gpg to the name, or send the plain file."),
    Reason("corrupt_gzip", "Damaged gzip", "The bytes are no gzip, end too early, or a checksum does not fit.",
           "Compress and transfer it again; with FTP in binary mode."),
    Reason("decrypt_failed", "Cannot be decrypted", "No key here opens the message, or it is damaged.",
           "Encrypt it for the receiver's public key and transfer it in binary mode."),
    Reason("cipher_not_aes", "Cipher is not AES", "The message is encrypted with another cipher than AES.",
           "Encrypt with --cipher-algo AES."),
    Reason("duplicate_file", "File already processed", "The same name with the same bytes came before.",
           "Nothing: it is passed over."),
    Reason("compression_bomb", "Unpacks to too much", "The file unpacks to far more than a file may hold.",
           "Check what was compressed."),
)  # fmt: skip

_LINES = (
    Reason("line_too_long", "Line too long", "The line has more than 102,400 bytes and is left out.",
           "Spread the user's items over several lines, at most 200."),
    *DATA_LINE_REASONS.values(),
    Reason("column_count", "Wrong number of columns", "The row has not one id per data source of the name.",
           "Write one id per data source, in the order of the name, separated by tabs."),
    Reason("empty_id", "Empty id", "A column is empty.", "Leave the row out."),
    Reason("whitespace_around_id", "Space around an id", "An id begins or ends with a space.", "Remove the space."),
    Reason("pii_in_id", "E-mail address as id", "An id holds an e-mail address.",
           "Use an id that says nothing about the person; hashed addresses go into c2c_id files."),
    Reason("url_encoded_id", "Percent-encoded id", "An id holds a percent escape such as %20.",
           "Write the id itself; only HTTP calls are encoded."),
    Reason("colon_in_id", "Colon in an id", "A customer id holds a colon.", "Use an id without colon."),
    Reason("bad_hash", "Not a SHA-256 hash", "The column is not 64 hexadecimal digits in lower case.",
           "Hash the trimmed, lower-case address with SHA-256 and write it in lower case."),
)  # fmt: skip

_WARNINGS = (
    Reason("bom", "Byte order mark", "The file begins with a byte order mark, which is dropped.",
           "Save as UTF-8 without BOM."),
    Reason("crlf", "Windows line ends", "Lines end in carriage return and line feed; they are read all the same.",
           "Save with UNIX line ends; am fix does it."),
    Reason("padded_quotes", "Spaces inside quotes", "A quoted value begins or ends with a space, which is kept.",
           "Remove the space; am fix does it."),
    Reason("smart_quotes", "Curly quotes", "Curly quotes are read as straight ones.", "Write straight quotes."),
    Reason("empty_item", "Empty item", "Two commas stand together, or one at an end; nothing is read there.",
           "Remove the comma."),
    Reason("dash_stripped", "Dash before a key", "Dashes before a key are dropped.", "Remove the dash."),
    Reason("key_not_addressable", "Key that no rule can name", "Rules name keys of letters, digits, _ and - only.",
           "Rename the key, else the signal is never used."),
    Reason("empty_value", "Empty value", "A key has no value.", "Leave the key out, unless empty means something."),
    Reason("id_has_escape", "Percent escape in an id", "The id holds an escape such as %20, which is kept as it is.",
           "Write the id itself."),
    Reason("id_has_at_sign", "At sign in an id", "The id may be a handle or part of an address.",
           "Use an id that says nothing about the person."),
    Reason("id_like_phone", "Id like a telephone number", "The id is written like a telephone number.",
           "Use an id that says nothing about the person."),
    Reason("id_all_zeros", "Id of zeros", "The id is nothing but zeros: the device has tracking switched off.",
           "Leave the line out."),
    Reason("short_timestamp", "Timestamp of 9 digits", "The timestamp has 9 digits and is taken leniently.",
           "Write 10 digits."),
    Reason("master_is_cross_device", "Customers in column one", "The first column is the side that is known already; "
           "here it holds customer ids.", "Put the device ids first, unless these customers were synced before."),
    Reason("timestamp_in_future", "Timestamp in the future", "The timestamp is more than a day ahead.",
           "Check the clock and the unit (seconds)."),
    Reason("timestamp_before_2005", "Timestamp before 2005", "The timestamp is older than any such file.",
           "Check the unit (seconds)."),
    Reason("timestamp_used_before", "Timestamp used before", "A file of this data source had the same timestamp.",
           "Use the time of this export."),
    Reason("date_folder_not_today", "Another day's folder", "The date folder is not today's (UTC).",
           "Upload into today's folder."),
    Reason("email_in_value", "E-mail address as value", "A value holds an e-mail address, which must not be sent.",
           "Leave it out, or send the SHA-256 of the trimmed, lower-case address."),
    Reason("phone_in_value", "Telephone number as value", "A value is an international telephone number, which must "
           "not be sent.", "Leave it out, or correct the value."),
    Reason("removal_ignored", "Removal in an overwrite file", "In an overwrite file removals count for nothing.",
           "Leave them out, or send a .sync file."),
    Reason("not_decrypted", "Encrypted", "The file is an OpenPGP message; its content was not checked.",
           "Check the plain file before encrypting it."),
    Reason("traits_unknown", "Unknown traits", "The file names traits that are not there.",
           "Create them first, or correct the numbers."),
    Reason("traits_not_onboarded", "Traits that no file feeds", "The file names traits of a type that is not "
           "onboarded.", "Name onboarded traits only."),
    Reason("traits_of_another_source", "Traits of another data source", "Another data source owns traits that the file "
           "names.", "Name that data source as the target, or leave the traits out."),
    Reason("lines_without_trait", "Lines that realise nothing", "Lines lead to no trait of the data source.",
           "Check trait numbers, keys and rules."),
    Reason("lines_over_user_cap", "Too many lines of a user", "More than 200 lines name one user; the rest is lost.",
           "Put several items into one line."),
    Reason("overwrite_shrinks", "Much smaller than the last one", "The file has less than half of the lines of this "
           "data source's last overwrite.", "Check that the export is whole."),
    Reason("size_not_optimal", "Larger than optimal", "Files of about 1 GB plain or 250 MB gzip are processed best.",
           "Split it into numbered parts with the same timestamp."),
)  # fmt: skip

_BUILDS = (
    Reason("not_writable", "Value that cannot be written", "The line would be read back as something else, such as a "
           "value with a quote inside.", "Correct the value at its source, or leave the attribute out."),
)  # fmt: skip

NAME_REASONS: dict[str, Reason] = {reason.code: reason for reason in _NAMES}
"""What refuses a file by its name."""

FILE_REASONS: dict[str, Reason] = {reason.code: reason for reason in _FILES}
"""What refuses a file once it is opened."""

LINE_REASONS: dict[str, Reason] = {reason.code: reason for reason in _LINES}
"""What refuses one line."""

WARNING_REASONS: dict[str, Reason] = {reason.code: reason for reason in _WARNINGS}
"""What is accepted and worth a look."""

BUILD_REASONS: dict[str, Reason] = {reason.code: reason for reason in _BUILDS}
"""Why a build leaves somebody's line out, beside the reasons of lines and warnings."""

AM_REASONS: dict[str, Reason] = NAME_REASONS | FILE_REASONS | LINE_REASONS | WARNING_REASONS | BUILD_REASONS
"""All of them by code."""
