-- Voting. What stands here can be derived from the log again, but for leases, sessions and invitations.

CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    round BIGINT NOT NULL,
    is_open BIGINT NOT NULL CHECK (is_open IN (0, 1))
);

CREATE TABLE items (
    id TEXT PRIMARY KEY,
    campaign TEXT NOT NULL REFERENCES campaigns (id),
    spec TEXT NOT NULL,
    is_gold BIGINT NOT NULL CHECK (is_gold IN (0, 1)),
    -- Random: the order among items that need votes equally.
    place BIGINT NOT NULL,
    -- Votes that count in this round, and leases that may become one.
    n_taken BIGINT NOT NULL CHECK (n_taken >= 0),
    -- How much oftener the model was shown on the left than on the right.
    side_balance BIGINT NOT NULL
);
CREATE INDEX items_by_need ON items (campaign, is_gold, n_taken, place);

CREATE TABLE invitations (
    code_hash TEXT PRIMARY KEY,
    campaign TEXT NOT NULL REFERENCES campaigns (id),
    n_left BIGINT NOT NULL CHECK (n_left >= 0),
    expires_ms BIGINT NOT NULL
);

CREATE TABLE raters (
    id TEXT PRIMARY KEY,
    campaign TEXT NOT NULL REFERENCES campaigns (id),
    cohort TEXT NOT NULL,
    session_hash TEXT NOT NULL UNIQUE,
    consented_ms BIGINT NOT NULL,
    n_assigned BIGINT NOT NULL,
    side_balance BIGINT NOT NULL,
    is_excluded BIGINT NOT NULL CHECK (is_excluded IN (0, 1))
);
CREATE INDEX raters_by_campaign ON raters (campaign);

-- An item in a rater's hands. `state` is live, cast, undone or expired.
CREATE TABLE leases (
    nonce TEXT PRIMARY KEY,
    campaign TEXT NOT NULL,
    item TEXT NOT NULL REFERENCES items (id),
    rater TEXT NOT NULL REFERENCES raters (id),
    round BIGINT NOT NULL,
    side TEXT NOT NULL,
    propensity DOUBLE PRECISION NOT NULL,
    revision BIGINT NOT NULL,
    -- Which of the rater's items it is, counted from 0.
    nth BIGINT NOT NULL,
    issued_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX leases_by_rater ON leases (rater, item, round);
CREATE INDEX leases_by_expiry ON leases (campaign, state, expires_ms);

-- One row for each record: a vote, what replaced it, or its withdrawal. Only `is_current` is ever changed.
CREATE TABLE votes (
    ballot TEXT NOT NULL,
    revision BIGINT NOT NULL,
    campaign TEXT NOT NULL,
    item TEXT NOT NULL REFERENCES items (id),
    rater TEXT NOT NULL REFERENCES raters (id),
    round BIGINT NOT NULL,
    vote TEXT NOT NULL,
    gold TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    is_current BIGINT NOT NULL CHECK (is_current IN (0, 1)),
    PRIMARY KEY (ballot, revision),
    UNIQUE (rater, item, round, revision)
);
