-- spec and status are JSON. An alert's state is one row, so that a check can change it only if it is still as it was read.
CREATE TABLE alerts (
    id             TEXT PRIMARY KEY,
    project_id     TEXT NOT NULL REFERENCES projects (id),
    spec           TEXT NOT NULL,
    enabled        BIGINT NOT NULL,
    silenced_until BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    checked_to     BIGINT NOT NULL,
    told           BIGINT NOT NULL,
    status         TEXT NOT NULL,
    last_seq       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);

CREATE INDEX alerts_project ON alerts (project_id);

-- A webhook's secret signs what is sent to it, so it is kept as it is. It lets nobody into Weir.
CREATE TABLE alert_channels (
    id       TEXT PRIMARY KEY,
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    position BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    target   TEXT NOT NULL,
    secret   TEXT NOT NULL
);

CREATE INDEX alert_channels_alert ON alert_channels (alert_id);

CREATE TABLE alert_history (
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    entry    TEXT NOT NULL,
    PRIMARY KEY (alert_id, seq)
);

CREATE INDEX alert_history_at ON alert_history (at);

-- Messages on their way. seq is the alert's history's, so that a channel gets them in their order.
CREATE TABLE alert_outbox (
    id         TEXT PRIMARY KEY,
    alert_id   TEXT NOT NULL REFERENCES alerts (id),
    channel_id TEXT NOT NULL REFERENCES alert_channels (id),
    seq        BIGINT NOT NULL,
    message    TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX alert_outbox_due ON alert_outbox (due_at);
CREATE INDEX alert_outbox_channel ON alert_outbox (channel_id, seq);
