-- Uploads under way or waiting, oldest first.
SELECT u.request_id, s.name AS source, u.status
FROM upload AS u JOIN source AS s ON s.source_id = u.source_id
WHERE u.status IN ('Scheduled', 'In Progress')
ORDER BY u.created_at
