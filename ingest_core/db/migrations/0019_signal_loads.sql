-- Data files whose signals are loaded into profiles, too: each as an upload of its own, beside its batch ---------------
CREATE TABLE am_upload (
    file_no INTEGER NOT NULL,                  -- of am_file
    batch_no INTEGER NOT NULL,
    source_id INTEGER NOT NULL,                -- whose signals these are
    file VARCHAR NOT NULL,
    landing VARCHAR,                           -- the file, until its upload has it or it was refused
    user_name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,                    -- waiting | submitted | refused
    upload_id VARCHAR,                         -- Request ID of the upload; of a refused file the one that has it already
    error VARCHAR                              -- JSON
);
