-- What leaves for a receiver of Audience Manager data, and what leaves for Audience Manager itself ---------------------
CREATE TABLE am_segment (
    segment_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,                     -- canonical text over traits
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

CREATE TABLE am_order (
    order_id BIGINT NOT NULL,                  -- stands in the names of its files
    name VARCHAR NOT NULL,
    content VARCHAR NOT NULL,                  -- JSON of outbound.orders.Order
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

CREATE TABLE am_build (
    name VARCHAR NOT NULL,
    content VARCHAR NOT NULL,                  -- JSON of outbound.recipe.Build
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);

CREATE TABLE am_run (                          -- one sequence of files that was made
    run_no INTEGER NOT NULL,
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,                     -- export | build
    definition VARCHAR NOT NULL,               -- of an export the order's id, of a build its name
    mode VARCHAR NOT NULL,
    requested_by VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    status VARCHAR NOT NULL,                   -- prepared | delivered | nothing new | given up
    place VARCHAR NOT NULL,                    -- JSON {destination} or {folder}
    files VARCHAR NOT NULL,                    -- JSON list of outbound.runs.RunFile
    control VARCHAR,                           -- name of the control file
    counts VARCHAR NOT NULL,                   -- JSON
    delivered_at TIMESTAMP,
    purged_at TIMESTAMP,                       -- its files were deleted at the place
    error VARCHAR                              -- JSON {code, message, hint, facts} of the last attempt
);

CREATE TABLE am_known (                        -- what the receiver of a run knows by it: segments or traits
    run_no INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    items BIGINT[] NOT NULL
);

CREATE TABLE am_built (                        -- what Audience Manager was sent by a run: items as they stand in a line
    run_no INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    items VARCHAR[] NOT NULL
);

CREATE TABLE am_control (                      -- data of this source goes to no order that has the label
    dpid BIGINT NOT NULL,
    label VARCHAR NOT NULL
);

DROP TABLE am_exported;
