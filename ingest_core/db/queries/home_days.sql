-- The last $2 days up to and including $1: rows loaded and rejected that day, and profiles at its end (NULL = no upload).
SELECT
    d.day::DATE AS day,
    coalesce(sum(u.stored + u.duplicates), 0)::BIGINT AS loaded,
    coalesce(sum(u.rejected), 0)::BIGINT AS rejected,
    arg_max(u.profiles_after, u.finished_at) FILTER (u.status = 'Completed') AS profiles
FROM generate_series($1::DATE - ($2::INTEGER - 1), $1::DATE, INTERVAL 1 DAY) AS d (day)
LEFT JOIN upload AS u ON u.finished_at::DATE = d.day::DATE AND u.status IN ('Completed', 'Failed')
GROUP BY d.day
ORDER BY d.day
