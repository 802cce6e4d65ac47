-- What the reports about Audience Manager files are made of ------------------------------------------------------------
CREATE TABLE am_file_report (                  -- a row for each data file that was processed
    file_no BIGINT NOT NULL,
    dpid BIGINT NOT NULL,
    target BIGINT,
    counts_at TIMESTAMP NOT NULL,              -- the moment at which its traits were realised
    is_sampled BOOLEAN NOT NULL,               -- whether error sampling was on
    counts VARCHAR NOT NULL,                   -- JSON of receipts.Counts, of this file alone
    codes VARCHAR NOT NULL                     -- JSON: code of a refused line → how many
);

CREATE TABLE am_sample (                       -- the first lines of each kind of error; their text is sealed
    file_no BIGINT NOT NULL,
    class VARCHAR NOT NULL,                    -- the counter of the receipt that it counts for
    code VARCHAR,
    line BIGINT NOT NULL,
    place BIGINT,                              -- bytes from 1 where one byte is meant
    page_id BIGINT NOT NULL,
    slot INTEGER NOT NULL
);

CREATE TABLE am_unused_signal (                -- pairs that led to no trait
    day DATE NOT NULL,
    dpid BIGINT NOT NULL,                      -- whose traits the file fed
    key VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    seen BIGINT NOT NULL
);

CREATE TABLE am_spaced (                       -- ids that were refused for a space before or after them
    file_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    dpid BIGINT NOT NULL,
    user_id VARCHAR NOT NULL                   -- as it stood in the file
);

CREATE TABLE am_inbound (                      -- files that were received to be processed as one batch
    inbound_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,                    -- chosen | waiting | processing | done | failed
    files VARCHAR NOT NULL,                    -- JSON list of inbound.ReceivedFile
    environment VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    finished_at TIMESTAMP,
    request_id VARCHAR,
    outcome VARCHAR,                           -- JSON: of the beta environment its receipts, of a failure the error
    attempts INTEGER NOT NULL
);
