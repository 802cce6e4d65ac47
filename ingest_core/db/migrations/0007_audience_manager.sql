-- Audience Manager: traits, batches and their files, the log of what files said, and its folds ----------------------
CREATE TABLE am_trait (
    trait_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    dpid BIGINT NOT NULL,                      -- the data source that owns it
    type VARCHAR NOT NULL,                     -- onboarded | rule_based | folder
    rule VARCHAR,                              -- canonical text
    ttl_days INTEGER NOT NULL,                 -- 0 = for ever
    integration_code VARCHAR,
    folder VARCHAR,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

CREATE TABLE am_batch (
    batch_no INTEGER NOT NULL,
    request_id VARCHAR NOT NULL,
    counts_at TIMESTAMP NOT NULL,                -- the moment at which its traits were realised
    uploaded_by VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP NOT NULL,
    steps VARCHAR NOT NULL                     -- JSON list of models.StepReport
);

CREATE TABLE am_file (
    file_no BIGINT NOT NULL,                   -- in the order in which files took effect
    batch_no INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    kind VARCHAR,                              -- data | id_sync; NULL where the name could not be read
    code VARCHAR,                              -- why it was refused
    counts VARCHAR NOT NULL                    -- JSON: of a data file its own lines, of an ID sync its receipt
);

CREATE TABLE am_receipt (
    batch_no INTEGER NOT NULL,
    dpid BIGINT NOT NULL,
    target BIGINT,
    counts VARCHAR NOT NULL                    -- JSON of receipt.BatchReceipt
);

-- The log: ids as they stood in the file, so that another mapping of ids can be folded from the same lines -----------
CREATE TABLE am_op (
    file_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    dpid BIGINT NOT NULL,
    user_id VARCHAR NOT NULL,
    trait_id BIGINT NOT NULL,
    is_add BOOLEAN NOT NULL
);

CREATE TABLE am_row (
    file_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    ids VARCHAR[] NOT NULL                     -- in the order of the columns that the file's name says
);

-- Folds ----------------------------------------------------------------------------------------------------------
CREATE TABLE am_held (
    dpid BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    trait_id BIGINT NOT NULL,
    realised_at TIMESTAMP NOT NULL,
    file_no BIGINT NOT NULL,
    line BIGINT NOT NULL
);

CREATE TABLE am_profile (
    dpid BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    seen_at TIMESTAMP NOT NULL                 -- the last record that was stored for it
);

CREATE TABLE am_map (                          -- id → device
    dpid BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    device_dpid BIGINT NOT NULL,
    device_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL                        -- newest wins
);

CREATE TABLE am_link (                         -- id → an id that no device is known of yet
    dpid BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    known_dpid BIGINT NOT NULL,
    known_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL
);

CREATE TABLE am_hash (                         -- customer → hashed e-mail
    dpid BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    seq BIGINT NOT NULL
);

CREATE TABLE am_exported (                     -- what a destination was told last
    destination VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    segment_id BIGINT NOT NULL
);
