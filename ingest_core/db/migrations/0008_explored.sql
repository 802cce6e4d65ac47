-- The received file that a notebook is over; NULL: it is over profiles, over the file of a draft, or its file is gone.
ALTER TABLE notebook ADD COLUMN landing VARCHAR;
