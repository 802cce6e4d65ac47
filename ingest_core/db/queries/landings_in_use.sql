-- Received files that an upload still needs.
SELECT landing FROM upload WHERE landing IS NOT NULL
