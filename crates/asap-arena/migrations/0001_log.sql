-- Both databases read the same statements: TEXT, BIGINT and DOUBLE PRECISION are known to both, bytes are written as
-- hexadecimal text, truth as 0 or 1, time as milliseconds since 1970.

-- Append-only. Everything that a board is computed from is told here first.
CREATE TABLE log (
    seq BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
);

-- One row. Whoever changes it holds the log until the transaction ends.
CREATE TABLE log_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

INSERT INTO log_head (id, seq, hash) VALUES (1, 0, '');

-- Rows that a transaction changes first where no two may go on at once.
CREATE TABLE locks (
    name TEXT PRIMARY KEY,
    taken BIGINT NOT NULL
);
