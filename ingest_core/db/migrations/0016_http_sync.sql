-- ID syncs by HTTP that wait to be taken as a file (Audience Manager spec §8.5) ------------------------------------------
CREATE TABLE am_http_sync (
    sync_no BIGINT NOT NULL,
    came_at TIMESTAMP NOT NULL,
    dpid BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    uuid VARCHAR NOT NULL
);
