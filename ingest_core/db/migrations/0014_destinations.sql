-- Named places that files are fetched from or left at --------------------------------------------------------------
CREATE TABLE destination (
    destination_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,             -- unique without regard to case among those that were not removed
    place VARCHAR NOT NULL,            -- JSON: kind, host, folder, …; no secret
    secrets VARCHAR,                   -- sealed JSON; NULL: none, or removed
    secret_names VARCHAR NOT NULL,     -- JSON list: which secrets there are
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    tested_at TIMESTAMP,               -- NULL: never since it was last changed
    is_working BOOLEAN,                -- what that test found
    removed_at TIMESTAMP               -- the row stays: the history names it
);

-- OpenPGP keys: of recipients, and our own -------------------------------------------------------------------------
CREATE TABLE pgp_key (
    pgp_key_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,             -- public | private
    fingerprint VARCHAR NOT NULL,
    material VARCHAR NOT NULL,         -- public: armored; private: sealed
    expires_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL
);
