-- Profiles after the last upload that ended before the day $1; NULL when there was none.
SELECT arg_max(profiles_after, finished_at) FROM upload WHERE status = 'Completed' AND finished_at < $1::DATE
