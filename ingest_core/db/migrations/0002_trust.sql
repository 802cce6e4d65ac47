-- A file that is far off waits for a person; a queued upload that keeps killing its process is not tried for ever ---
ALTER TABLE upload ADD COLUMN held VARCHAR;                   -- JSON {code, message, hint, facts}: why it waits; NULL = does not
ALTER TABLE upload ADD COLUMN approved_by VARCHAR;            -- who let it load all the same
ALTER TABLE upload ADD COLUMN attempts INTEGER DEFAULT 0;     -- how often a process began to load it
ALTER TABLE upload ADD COLUMN drift VARCHAR;                  -- JSON list of models.Drift: how far it is from the former file

-- A static segment that only an undone upload made is not there while the upload is undone -----------------------
ALTER TABLE segment ADD COLUMN undone_with VARCHAR;           -- Request ID
