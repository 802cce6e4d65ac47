-- Notebooks of Explore: each belongs to one person ----------------------------------------------------------------
CREATE TABLE notebook (
    notebook_id VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    content BLOB NOT NULL                      -- encrypted JSON {name, cells}: what a person types may be PII
);
