-- Everybody who ever uploaded something.
SELECT DISTINCT uploaded_by FROM upload ORDER BY lower(uploaded_by)
