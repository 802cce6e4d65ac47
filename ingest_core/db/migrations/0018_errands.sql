-- What people asked for on a screen and what leaves in the background: a run of an order or a build, or another try -----
CREATE TABLE am_errand (
    errand_no INTEGER NOT NULL,
    kind VARCHAR NOT NULL,                     -- export | build
    definition VARCHAR NOT NULL,               -- as of am_run
    wanted VARCHAR NOT NULL,                   -- JSON: what the maker of its kind takes, or {again: run id}
    requested_by VARCHAR NOT NULL,
    asked_at TIMESTAMP NOT NULL,
    state VARCHAR NOT NULL,                    -- waiting | working | failed; one that is done goes: its run tells the rest
    error VARCHAR                              -- JSON {code, message, hint, facts}
);
