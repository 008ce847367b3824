-- The proxy's own key: what it seals for hosts, digests with, and, without another one, binds
-- approvals to arguments with.
CREATE TABLE own_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    bytes BLOB NOT NULL CHECK (length(bytes) = 32)
) STRICT;

-- Every definition of a tool that was met and counts. The first is accepted as it is met; times are
-- milliseconds since 1970.
CREATE TABLE definition (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- Canonical JSON; NULL where it is too long to be kept.
    text TEXT,
    -- When it was met last, as far as another one was met in between.
    met_at INTEGER NOT NULL,
    accepted_at INTEGER,
    UNIQUE (server, tool, digest)
) STRICT;

-- Calls that were answered while a person was still asked, and the approvals that they left behind: a
-- rejection that comes later is told to the next such call.
CREATE TABLE left_behind (
    call BLOB PRIMARY KEY,
    approval TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sealed states that were used.
CREATE TABLE spent (
    id BLOB PRIMARY KEY,
    -- From then on it is refused for its age.
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
