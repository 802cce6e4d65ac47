-- What an upload did, or would do, to who is who: joins and the brakes on them --------------------------------------
ALTER TABLE upload ADD COLUMN identity VARCHAR;               -- JSON of models.IdentityPreview, without any value
