-- Everything that must survive a crash. One dialect for SQLite and PostgreSQL: only BIGINT (milliseconds, numbers, 0 or 1) and
-- TEXT (names, JSON, hex). Keys and numbers are made by the owner, never by the database.

-- Names that are not part of any state: `min_binary`, `owner`, and what the owners keep (`router_digest`).
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row a process that may write: its turn at the state, and how often it has committed.
CREATE TABLE replicas (
    incarnation TEXT NOT NULL PRIMARY KEY,
    counter BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

CREATE TABLE rule_group (
    id TEXT NOT NULL PRIMARY KEY,
    last_slot BIGINT NOT NULL
);

CREATE TABLE rule_alert (
    rule TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    labels TEXT NOT NULL,
    PRIMARY KEY (rule, fingerprint)
);

CREATE TABLE rule_alert_state (
    rule TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    active_since BIGINT NOT NULL,
    fired_at BIGINT,
    quiet_since BIGINT,
    resolved_at BIGINT,
    value TEXT NOT NULL,
    annotations TEXT NOT NULL,
    PRIMARY KEY (rule, fingerprint)
);

CREATE TABLE alert (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    labels TEXT NOT NULL
);

CREATE TABLE alert_state (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    lease_ms BIGINT,
    ours BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    annotations TEXT NOT NULL,
    generator_url TEXT NOT NULL
);

CREATE TABLE alert_group (
    id TEXT NOT NULL PRIMARY KEY,
    group_key TEXT NOT NULL,
    receiver TEXT NOT NULL,
    labels TEXT NOT NULL,
    next_flush BIGINT NOT NULL,
    route_key TEXT NOT NULL,
    ordinal BIGINT NOT NULL
);

CREATE TABLE group_member (
    group_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    orphan BIGINT NOT NULL,
    PRIMARY KEY (group_id, fingerprint)
);

CREATE TABLE notification_log (
    group_id TEXT NOT NULL,
    way TEXT NOT NULL,
    firing TEXT NOT NULL,
    unsure TEXT NOT NULL,
    resolved TEXT NOT NULL,
    told BIGINT NOT NULL,
    written BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (group_id, way)
);

CREATE TABLE outbox (
    group_id TEXT NOT NULL,
    way TEXT NOT NULL,
    seq BIGINT NOT NULL,
    key TEXT NOT NULL,
    alerts TEXT NOT NULL,
    reason TEXT NOT NULL,
    tick BIGINT NOT NULL,
    PRIMARY KEY (group_id, way)
);

CREATE TABLE history (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT,
    fingerprint TEXT,
    episode BIGINT,
    group_key TEXT,
    integration TEXT,
    row_seq BIGINT,
    reason TEXT,
    detail TEXT
);

CREATE INDEX history_by_fingerprint ON history (fingerprint, at);

CREATE INDEX history_by_time ON history (at);

INSERT INTO meta (name, value) VALUES ('min_binary', '0.1.0');

INSERT INTO meta (name, value) VALUES ('owner', '');
