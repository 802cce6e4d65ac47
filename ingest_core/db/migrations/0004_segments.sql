-- What people say about a segment beside its rule; a rule holds ids in the place of names ---------------------------
ALTER TABLE segment ADD COLUMN tags VARCHAR DEFAULT '[]';     -- JSON list
ALTER TABLE segment ADD COLUMN priority INTEGER DEFAULT 0;    -- larger is more important
ALTER TABLE segment ADD COLUMN updated_at TIMESTAMP;          -- NULL = never since it was made
ALTER TABLE segment ADD COLUMN updated_by VARCHAR;

-- How many profiles each segment had after whatever may have changed that -----------------------------------------
CREATE TABLE segment_count (
    segment_id INTEGER NOT NULL,
    counted_at TIMESTAMP NOT NULL,
    cause VARCHAR NOT NULL,                    -- load | undo | redo | added | changed
    request_id VARCHAR,                        -- the upload that was loaded, undone or redone
    profiles BIGINT NOT NULL
);
