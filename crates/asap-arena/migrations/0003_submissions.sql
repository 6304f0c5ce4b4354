-- People who submit, and those who look after it. The name is small letters, digits and hyphens.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    disabled_ms BIGINT
);

-- A code that makes one account. Only its hash is here.
CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    role TEXT NOT NULL,
    made_by TEXT NOT NULL REFERENCES accounts (id),
    expires_ms BIGINT NOT NULL,
    used_by TEXT
);

-- Login sessions and API tokens: what is presented is looked up by id and compared by hash.
CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    hash TEXT NOT NULL,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);

CREATE INDEX credentials_by_account ON credentials (account_id, made_ms);

-- Attempts to log in since the window of a name began; names that nobody has are counted too.
CREATE TABLE login_attempts (
    name TEXT PRIMARY KEY,
    began_ms BIGINT NOT NULL,
    n BIGINT NOT NULL
);
