-- A row of visits was what one batch adds to a visit; now it is a state of the
-- visit, with sign 1, or cancels one, with sign -1. A sum of sign * value over the
-- rows is the sum over the visits. What stands there becomes one state a visit.

ALTER TABLE visits RENAME TO visit_deltas;

CREATE TABLE visits (
    project_id   VARCHAR   NOT NULL,
    device_id    VARCHAR   NOT NULL,
    session_id   VARCHAR   NOT NULL,
    sign         TINYINT   NOT NULL,
    version      UINTEGER  NOT NULL, -- counts the visit's states, from 1
    profile_id   VARCHAR   NOT NULL,
    start_at     TIMESTAMP NOT NULL,
    end_at       TIMESTAMP NOT NULL,
    entry        VARCHAR   NOT NULL,
    exit         VARCHAR   NOT NULL,
    entry_at     TIMESTAMP,          -- NULL when the visit has no screen view
    exit_at      TIMESTAMP,          -- NULL when the visit has no screen view
    events       BIGINT    NOT NULL,
    screen_views BIGINT    NOT NULL,
    interactive  BIGINT    NOT NULL,
    calls        BIGINT    NOT NULL,
    revenue      DOUBLE    NOT NULL,
    ended        BOOLEAN   NOT NULL,
    bot          BOOLEAN   NOT NULL,
    referrer     VARCHAR   NOT NULL,
    channel      VARCHAR   NOT NULL,
    utm_source   VARCHAR   NOT NULL,
    utm_medium   VARCHAR   NOT NULL,
    utm_campaign VARCHAR   NOT NULL,
    country      VARCHAR   NOT NULL,
    region       VARCHAR   NOT NULL,
    city         VARCHAR   NOT NULL,
    browser      VARCHAR   NOT NULL,
    os           VARCHAR   NOT NULL,
    device_type  VARCHAR   NOT NULL,
    language     VARCHAR   NOT NULL
);

-- Three rows of a visit say what it is: those of its earliest events, of its
-- first and of its last screen view. A row without events only marked the end.
-- Rows stand in the order in which they were written.
INSERT INTO visits
WITH whole AS (
    SELECT project_id, device_id, session_id,
        min(start_at) AS start_at, max(end_at) AS end_at, min(entry_at) AS entry_at, max(exit_at) AS exit_at,
        CAST(sum(events) AS BIGINT) AS events, CAST(sum(screen_views) AS BIGINT) AS screen_views,
        CAST(sum(interactive) AS BIGINT) AS interactive, CAST(sum(calls) AS BIGINT) AS calls,
        sum(revenue) AS revenue, bool_or(ended) AS ended, bool_or(bot) AS bot,
        coalesce(min_by(rowid, (start_at, rowid)) FILTER (WHERE events > 0), min(rowid)) AS earliest,
        min_by(rowid, (entry_at, rowid)) FILTER (WHERE entry_at IS NOT NULL) AS first_view,
        max_by(rowid, (exit_at, rowid)) FILTER (WHERE exit_at IS NOT NULL) AS last_view,
        max(rowid) FILTER (WHERE profile_id <> '') AS known
    FROM visit_deltas GROUP BY project_id, device_id, session_id
)
SELECT w.project_id, w.device_id, w.session_id, 1, 1, coalesce(p.profile_id, ''),
    w.start_at, w.end_at, coalesce(f.entry, ''), coalesce(l.exit, ''), w.entry_at, w.exit_at,
    w.events, w.screen_views, w.interactive, w.calls, w.revenue, w.ended, w.bot,
    e.referrer, e.channel, e.utm_source, e.utm_medium, e.utm_campaign,
    e.country, e.region, e.city, e.browser, e.os, e.device_type, e.language
FROM whole w
JOIN visit_deltas e ON e.rowid = w.earliest
LEFT JOIN visit_deltas f ON f.rowid = w.first_view
LEFT JOIN visit_deltas l ON l.rowid = w.last_view
LEFT JOIN visit_deltas p ON p.rowid = w.known
ORDER BY w.start_at;

DROP TABLE visit_deltas;
