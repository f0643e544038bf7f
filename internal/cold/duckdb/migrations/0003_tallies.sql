-- How many events of a kind there are in a quarter of an hour; rows of one kind add up.
CREATE TABLE tallies (
    project_id VARCHAR NOT NULL,
    quarter    INTEGER NOT NULL,
    name       VARCHAR NOT NULL,
    method     VARCHAR, -- NULL unless the events are calls
    route      VARCHAR, -- NULL unless the events are calls
    status     INTEGER, -- NULL when unknown or not a call
    events     BIGINT  NOT NULL
);

INSERT INTO tallies
SELECT project_id, quarter, name, method, route, status, count(*)
FROM events GROUP BY ALL ORDER BY project_id, quarter;
