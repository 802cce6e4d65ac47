-- Signals that led to no trait are counted with their batch, so that those of an undone batch do not count -------------
ALTER TABLE am_unused_signal ADD COLUMN batch_no INTEGER;  -- NULL: of before, counted always
