-- Configuration -----------------------------------------------------------------------------------------
CREATE TABLE source (
    source_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    dpid BIGINT,
    id_type VARCHAR,
    inbound_id_type VARCHAR,
    owner VARCHAR,
    id_attribute VARCHAR,
    id_placement VARCHAR,
    settings VARCHAR NOT NULL,                 -- JSON of models.SourceSettings
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    archived_at TIMESTAMP
);

CREATE TABLE attribute (
    attribute_id INTEGER NOT NULL,             -- its column in record and profile is a<attribute_id>
    name VARCHAR NOT NULL,
    display_name VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    identifier VARCHAR,                        -- primary | secondary
    priority INTEGER NOT NULL,                 -- of identifiers: smaller is stronger
    pii BOOLEAN NOT NULL,
    segment VARCHAR,
    macro VARCHAR,
    is_builtin BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

CREATE TABLE mapping (
    source_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    fingerprint VARCHAR NOT NULL,              -- of the header it was made for
    columns VARCHAR NOT NULL,                  -- JSON list of models.ColumnMapping
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

CREATE TABLE draft (
    draft_id VARCHAR NOT NULL,
    source_id INTEGER,
    created_by VARCHAR NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    state BLOB NOT NULL                        -- encrypted JSON: before a mapping exists everything may be PII
);

-- Uploads: exactly one row each, its end state written in the transaction of its data ------------------------
CREATE TABLE upload (
    upload_no INTEGER,                         -- given when the load starts: commit order is upload order
    request_id VARCHAR NOT NULL,
    source_id INTEGER NOT NULL,
    file VARCHAR NOT NULL,
    size BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    mapping_version INTEGER NOT NULL,
    options VARCHAR NOT NULL,                  -- JSON of models.Options
    dialect VARCHAR NOT NULL,                  -- JSON: what the plan read the file as
    uploaded_by VARCHAR NOT NULL,
    idempotency_key VARCHAR,
    status VARCHAR NOT NULL,                   -- Scheduled | In Progress | Completed | Failed
    is_cancelled BOOLEAN NOT NULL,
    is_live BOOLEAN NOT NULL,                  -- its records count in the folds
    created_at TIMESTAMP NOT NULL,
    scheduled_for TIMESTAMP,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    undone_at TIMESTAMP,
    undone_by VARCHAR,
    replaced_by INTEGER,                       -- upload_no of a "replace, values too" that made it count for nothing
    landing VARCHAR,                           -- generated name of the encrypted original while it is kept
    worker VARCHAR,                            -- who runs it: app or command line
    error VARCHAR,                             -- JSON {code, message, hint, facts}
    physical_lines BIGINT, lines BIGINT, blank BIGINT, stored BIGINT, rejected BIGINT, duplicates BIGINT,
    suppressed BIGINT, withheld BIGINT, created BIGINT, updated BIGINT, unchanged BIGINT, merged BIGINT,
    came_apart BIGINT, removed BIGINT, conflicts BIGINT, shared BIGINT, memberships_ended BIGINT, profiles_before BIGINT,
    profiles_after BIGINT, members BIGINT,
    segment VARCHAR,
    rejects_by_reason VARCHAR,                 -- JSON {code: rows}
    notices VARCHAR,                           -- JSON list
    ignored_columns VARCHAR,                   -- JSON list
    steps VARCHAR                              -- JSON list of models.StepReport
);

CREATE TABLE reject (
    upload_no INTEGER NOT NULL,
    line BIGINT NOT NULL,
    code VARCHAR NOT NULL,                     -- the first of codes
    codes VARCHAR NOT NULL,                    -- all of them, comma separated
    column_name VARCHAR,                       -- the file column of the first code
    page_id BIGINT NOT NULL,                   -- its original text
    slot INTEGER NOT NULL,
    tokens UUID[]                              -- identifiers of the row, so that it can be erased with its person
);

-- The record log: the only truth about people. Attribute columns are added by ALTER: a<id> canonical text, or the
-- token of a PII value; i<id> the token of a usable identifier. NULL = absent, '' or the nil token = cleared. --------
CREATE TABLE record (
    rid BIGINT NOT NULL                        -- upload_no << 32 | line
);

-- Folds of the log ---------------------------------------------------------------------------------------
CREATE TABLE resolution (
    rid BIGINT NOT NULL,
    pid BIGINT NOT NULL                        -- a profile's id is its smallest live record
);

CREATE TABLE identity (
    token UUID NOT NULL,
    attribute_id INTEGER NOT NULL,
    owner UUID,                                -- of a secondary: token of the primary it belongs to
    pid BIGINT,                                -- whom a record naming only this value goes to; NULL = nobody
    is_shared BOOLEAN NOT NULL,
    has_floating BOOLEAN NOT NULL              -- some live record without a primary names it
);

CREATE TABLE sighting (                        -- secondaries met with more than one primary: all of the pairs
    token UUID NOT NULL,
    primary_token UUID NOT NULL
);

CREATE TABLE profile (
    pid BIGINT NOT NULL                        -- typed values; a<id> added by ALTER; PII as token
);

CREATE TABLE membership (
    pid BIGINT NOT NULL,
    source_id INTEGER NOT NULL,
    upload_no INTEGER NOT NULL                 -- the upload that brought it
);

CREATE TABLE segment (
    segment_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,                     -- JSON rule tree
    description VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

-- Vault --------------------------------------------------------------------------------------------------
CREATE TABLE vault_page (
    page_id BIGINT NOT NULL,
    attribute_id INTEGER NOT NULL,             -- 0 = text of rejected rows
    key_version INTEGER NOT NULL,
    slots INTEGER NOT NULL,
    data BLOB NOT NULL USING COMPRESSION uncompressed
);

CREATE TABLE vault_value (
    token UUID NOT NULL,
    attribute_id INTEGER NOT NULL,
    page_id BIGINT NOT NULL,
    slot INTEGER NOT NULL
);

CREATE TABLE suppression (
    token UUID NOT NULL,                       -- under its own key, which is never rotated
    attribute_id INTEGER NOT NULL,
    erased_at TIMESTAMP NOT NULL
);

CREATE TABLE audit (
    seq BIGINT NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    actor VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,                   -- JSON; never PII
    previous VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);
