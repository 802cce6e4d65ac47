-- What people and other programs are told, written in the transaction of what happened -----------------------------
CREATE TABLE notice (
    notice_id VARCHAR,           -- date and random letters; the local part of its Message-ID
    key VARCHAR,                 -- what happened; the same key twice is one notice
    kind VARCHAR,                -- upload_started, upload_ended, …
    request_id VARCHAR,          -- the upload it is about, if it is about one
    source_id INTEGER,
    happened_at TIMESTAMP,
    data VARCHAR,                -- JSON: what a message of this kind is made of; no PII
    letter VARCHAR,              -- JSON: the message itself, where who tells wrote it; NULL: made from data
    message_id VARCHAR           -- kept from the first attempt on, the same for every recipient
);

CREATE TABLE notice_sending (
    notice_id VARCHAR,
    channel VARCHAR,             -- mail or webhook
    recipient VARCHAR,           -- an address; NULL: the webhook
    state VARCHAR,               -- waiting, sent, given up, kept
    since TIMESTAMP,             -- waiting since, for giving up
    attempts INTEGER,
    next_try TIMESTAMP,
    error VARCHAR,               -- code of the last failure
    sent_at TIMESTAMP
);
