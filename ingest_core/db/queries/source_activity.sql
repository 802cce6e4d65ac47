-- One row per source that ever had an upload: its last ended upload, and what the last eight loaded, oldest first.
WITH numbered AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY source_id, status IN ('Completed', 'Failed') ORDER BY created_at DESC) AS age
    FROM upload
)
SELECT
    source_id,
    count(*) FILTER (status IN ('Scheduled', 'In Progress')) AS running,
    max(finished_at) FILTER (status IN ('Completed', 'Failed') AND age = 1) AS last_at,
    any_value(status) FILTER (status IN ('Completed', 'Failed') AND age = 1) AS last_status,
    any_value(lines - blank) FILTER (status IN ('Completed', 'Failed') AND age = 1) AS last_rows,
    any_value(rejected) FILTER (status IN ('Completed', 'Failed') AND age = 1) AS last_rejected,
    coalesce(sum(stored + duplicates) FILTER (status = 'Completed' AND undone_at IS NULL), 0)::BIGINT AS rows_loaded,
    coalesce(
        list(coalesce(stored + duplicates, 0) ORDER BY created_at) FILTER (status IN ('Completed', 'Failed') AND age <= 8),
        []
    ) AS recent
FROM numbered
GROUP BY source_id
