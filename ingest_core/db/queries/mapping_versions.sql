-- The versions of a source's mapping, newest first: when and by whom, and how many uploads used each.
SELECT
    version,
    created_at,
    created_by,
    (SELECT count(*) FROM upload u WHERE u.source_id = m.source_id AND u.mapping_version = m.version) AS uploads
FROM mapping m
WHERE source_id = $1
ORDER BY version DESC
