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

-- What was submitted, and where it is on its way. A lease is a column here, so it changes with the state or not at all.
CREATE TABLE submissions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL,
    badge TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    prompts TEXT NOT NULL,
    manifest TEXT NOT NULL,
    reason TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    queued_ms BIGINT NOT NULL,
    not_before_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    lease TEXT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    score TEXT NOT NULL
);

CREATE INDEX submissions_by_account ON submissions (account_id, made_ms);
CREATE INDEX submissions_by_state ON submissions (state, queued_ms);

-- Files by the name that the manifest calls them; the blobs have names of their own.
CREATE TABLE submission_files (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    file TEXT NOT NULL,
    original TEXT NOT NULL,
    stored TEXT NOT NULL,
    PRIMARY KEY (submission_id, file)
);

-- One judgement for each image, as JSON.
CREATE TABLE submission_judgements (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    prompt_id TEXT NOT NULL,
    seed TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (submission_id, prompt_id, seed)
);

-- What the submitter reads.
CREATE TABLE submission_log (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (submission_id, seq)
);
