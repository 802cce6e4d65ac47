-- Files that come by themselves: when to look where, and every file that was met there --------------------------------
CREATE TABLE schedule (
    schedule_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    rules VARCHAR NOT NULL,                    -- JSON of arrivals.schedule.Rules
    is_paused BOOLEAN NOT NULL,
    next_at TIMESTAMP NOT NULL,                -- when to look next: its time, or earlier to look again
    attempts INTEGER NOT NULL,                 -- looks in a row that failed
    looked_at TIMESTAMP,                       -- the last look that went through
    error VARCHAR,                             -- JSON {code, message, hint, facts} of the last look; NULL: it was fine
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    removed_at TIMESTAMP                       -- its arrivals stay in the log
);

CREATE TABLE arrival (
    arrival_no BIGINT NOT NULL,
    schedule_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    place VARCHAR NOT NULL,                    -- name of the destination
    path VARCHAR NOT NULL,                     -- the file's name there, with its folders
    file VARCHAR NOT NULL,                     -- the last part of it
    size BIGINT NOT NULL,                      -- these three: as it was when it was looked at
    modified TIMESTAMP,
    version VARCHAR,
    state VARCHAR NOT NULL,                    -- waiting | taken | submitted | loaded | failed | skipped | refused | gone
    reason VARCHAR,                            -- JSON {code, message, hint, facts}: why it waits or was not loaded
    seen_at TIMESTAMP NOT NULL,                -- first
    unchanged_since TIMESTAMP NOT NULL,        -- size, time and version are the same since then
    sha256 VARCHAR,
    landing VARCHAR,                           -- generated name of the encrypted copy until an upload has it
    taken_at TIMESTAMP,
    request_id VARCHAR,
    ended_at TIMESTAMP,
    after VARCHAR,                             -- what is done with the file at its place: done | failed | delete; NULL: nothing
    after_attempts INTEGER NOT NULL,
    after_next_at TIMESTAMP,                   -- when that is tried (again); NULL: nothing is left to do
    after_note VARCHAR                         -- how it went
);
