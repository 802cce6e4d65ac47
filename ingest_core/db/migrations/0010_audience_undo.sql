-- Audience Manager: batches that are taken back, mappings that grow old, traits that are gone, ids that are left alone -
ALTER TABLE am_batch ADD COLUMN known VARCHAR;         -- JSON of known.Known: what it knew about data sources; NULL: as now
ALTER TABLE am_batch ADD COLUMN undone_at TIMESTAMP;
ALTER TABLE am_batch ADD COLUMN undone_by VARCHAR;
ALTER TABLE am_batch ADD COLUMN cut_at TIMESTAMP;      -- its lines left the log; what they did is in the am_base tables
ALTER TABLE am_map ADD COLUMN seen_at TIMESTAMP;       -- the last time a file named its device; its days count from here
UPDATE am_map SET seen_at = (SELECT max(counts_at) FROM am_batch);
ALTER TABLE am_trait ADD COLUMN description VARCHAR;

CREATE TABLE am_trait_removed (                -- their ids are never given again: the log still names them
    trait_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    dpid BIGINT NOT NULL,
    removed_at TIMESTAMP NOT NULL,
    removed_by VARCHAR NOT NULL
);

CREATE TABLE am_opt_out (                      -- ids whose lines are passed over
    digest VARCHAR NOT NULL,                   -- SHA-256 of "DPID:id": the id itself is forgotten
    opted_at TIMESTAMP NOT NULL,
    opted_by VARCHAR NOT NULL
);

-- The folds as they were after the last batch whose lines left the log ------------------------------------------------
CREATE TABLE am_base_held (
    dpid BIGINT NOT NULL, id VARCHAR NOT NULL, trait_id BIGINT NOT NULL, realised_at TIMESTAMP NOT NULL,
    file_no BIGINT NOT NULL, line BIGINT NOT NULL
);
CREATE TABLE am_base_profile (dpid BIGINT NOT NULL, id VARCHAR NOT NULL, seen_at TIMESTAMP NOT NULL);
CREATE TABLE am_base_map (
    dpid BIGINT NOT NULL, id VARCHAR NOT NULL, device_dpid BIGINT NOT NULL, device_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL, seen_at TIMESTAMP
);
CREATE TABLE am_base_link (
    dpid BIGINT NOT NULL, id VARCHAR NOT NULL, known_dpid BIGINT NOT NULL, known_id VARCHAR NOT NULL, seq BIGINT NOT NULL
);
CREATE TABLE am_base_hash (dpid BIGINT NOT NULL, id VARCHAR NOT NULL, hash VARCHAR NOT NULL, seq BIGINT NOT NULL);
