-- Uploads of the source that count now: neither undone nor replaced.
SELECT count(*) FROM upload WHERE source_id = $1 AND is_live
