-- The newest live upload of the same bytes for the same source.
SELECT request_id, finished_at, uploaded_by
FROM upload
WHERE source_id = $1 AND sha256 = $2 AND is_live AND status = 'Completed'
ORDER BY finished_at DESC
LIMIT 1
