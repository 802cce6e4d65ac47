-- Deliveries: what was, is and will be sent to a destination --------------------------------------------------------
CREATE TABLE delivery (
    delivery_no BIGINT NOT NULL,
    delivery_id VARCHAR NOT NULL,
    idempotency_key VARCHAR,
    kind VARCHAR NOT NULL,                     -- segment | upload | rejects | file
    object VARCHAR NOT NULL,                   -- segment_id, Request ID, or the name of the file
    label VARCHAR NOT NULL,                    -- what people called it then
    destination VARCHAR NOT NULL,
    channel VARCHAR,                           -- same selection, destination and columns; NULL: no state is kept
    content VARCHAR NOT NULL,                  -- JSON of deliveries.order.Order
    requested_by VARCHAR NOT NULL,
    again_of VARCHAR,                          -- the failed delivery that this one repeats
    status VARCHAR NOT NULL,                   -- waiting | running | delivered | failed
    created_at TIMESTAMP NOT NULL,
    due_at TIMESTAMP,                          -- of a waiting one: not before
    started_at TIMESTAMP,
    prepared_at TIMESTAMP,                     -- when its bytes were made
    tried_at TIMESTAMP,                        -- from then on it may have arrived, whatever was heard of it
    finished_at TIMESTAMP,
    attempts INTEGER NOT NULL,
    error VARCHAR,                             -- JSON {code, message, hint, facts}
    landing VARCHAR,                           -- generated name of the encrypted bytes while they are kept
    file VARCHAR, location VARCHAR, control_file VARCHAR,
    bytes BIGINT, lines BIGINT, people BIGINT, added BIGINT, changed BIGINT, removed BIGINT, without_key BIGINT,
    same_key BIGINT, flattened BIGINT,
    md5 VARCHAR, sha256 VARCHAR
);

CREATE TABLE delivery_state (                  -- what a receiver has after this delivery; never a plain personal value
    delivery_no BIGINT NOT NULL,
    key_text VARCHAR NOT NULL,
    row_token UUID NOT NULL
);

CREATE TABLE delivery_upload (                 -- the uploads of whose rows somebody was in it
    delivery_no BIGINT NOT NULL,
    upload_no INTEGER NOT NULL
);
