-- When a client that waits for an approval with a resume key was last noticed.
ALTER TABLE approvals ADD COLUMN waiter_seen_at INTEGER;
