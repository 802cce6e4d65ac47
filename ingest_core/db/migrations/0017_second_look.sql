-- Runs of builds that a second person has to look at before anything is made of them -----------------------------------
CREATE TABLE am_approval (
    run_no INTEGER NOT NULL,
    fingerprint VARCHAR NOT NULL,              -- SHA-256 of the definition and of every line that would be sent
    is_full BOOLEAN NOT NULL,
    answer VARCHAR NOT NULL,                   -- waiting | approved | declined | withdrawn
    answered_by VARCHAR,
    answered_at TIMESTAMP,
    note VARCHAR NOT NULL
);
