-- Audience Manager files as they came, kept for a time after their batch: of those that were refused, too ---------------
CREATE TABLE am_kept (
    file_no BIGINT NOT NULL,
    landing VARCHAR NOT NULL,                  -- the received file, encrypted
    size BIGINT NOT NULL
);
