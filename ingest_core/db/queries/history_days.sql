-- Uploads per day and outcome, with their rows. NULL filters match everything: $1 source, $2 status, $3 person,
-- $4 from (inclusive), $5 to (exclusive), $6 badge, $7 part of the file's name or Request ID in lower case.
SELECT
    u.created_at::DATE AS day,
    CASE
        WHEN u.undone_at IS NOT NULL THEN 'Undone'
        WHEN u.is_cancelled THEN 'Cancelled'
        WHEN u.replaced_by IS NOT NULL THEN 'Replaced'
        WHEN u.held IS NOT NULL THEN 'Waits for approval'
        WHEN u.status = 'Completed' AND u.rejected > 0 THEN 'Completed with rejects'
        ELSE u.status
    END AS outcome,
    count(*) AS uploads,
    coalesce(sum(u.lines - u.blank), 0)::BIGINT AS rows
FROM upload AS u
WHERE ($1::INTEGER IS NULL OR u.source_id = $1)
    AND ($2::VARCHAR IS NULL OR u.status = $2)
    AND ($3::VARCHAR IS NULL OR u.uploaded_by = $3)
    AND ($4::TIMESTAMP IS NULL OR u.created_at >= $4)
    AND ($5::TIMESTAMP IS NULL OR u.created_at < $5)
    AND ($6::VARCHAR IS NULL OR CASE $6
        WHEN 'Completed with rejects' THEN u.status = 'Completed' AND u.rejected > 0
        WHEN 'Cancelled' THEN u.is_cancelled
        WHEN 'Undone' THEN u.undone_at IS NOT NULL
        WHEN 'Replaced' THEN u.replaced_by IS NOT NULL
        WHEN 'Waits for approval' THEN u.held IS NOT NULL
    END)
    AND ($7::VARCHAR IS NULL OR contains(lower(u.file) || chr(10) || lower(u.request_id), $7))
GROUP BY ALL
ORDER BY day, outcome
