-- Median rows of the source's last completed uploads before the newest one ($2 of them), and how many there were.
SELECT median(rows)::BIGINT AS usual, count(*) AS uploads
FROM (
    SELECT lines - blank AS rows
    FROM upload
    WHERE source_id = $1 AND status = 'Completed' AND undone_at IS NULL
    ORDER BY finished_at DESC
    LIMIT $2 OFFSET 1
)
