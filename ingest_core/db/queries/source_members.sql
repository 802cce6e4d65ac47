-- Profiles that are members of the source now.
SELECT count(DISTINCT pid) FROM membership WHERE source_id = $1
