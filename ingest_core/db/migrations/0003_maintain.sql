-- What retention has removed of an upload; its receipt stays -------------------------------------------------------
ALTER TABLE upload ADD COLUMN purged_at TIMESTAMP;            -- of an undone upload: its log rows; it cannot be redone
ALTER TABLE upload ADD COLUMN rejects_purged_at TIMESTAMP;    -- its rejected rows
