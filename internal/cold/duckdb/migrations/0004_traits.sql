-- What identify events ask of profiles' traits, a row a change. Rows of one place are
-- one. See DESIGN.md. No version has written to the table that was reserved for it.
DROP TABLE profiles;

CREATE TABLE traits (
    project_id VARCHAR   NOT NULL,
    trait      VARCHAR   NOT NULL,
    profile_id VARCHAR   NOT NULL,
    place      VARCHAR   NOT NULL, -- sorts as the changes apply
    changed_at TIMESTAMP NOT NULL,
    op         VARCHAR   NOT NULL, -- set, once, add, unset, refused
    text       VARCHAR   NOT NULL, -- the value: a string without quotes, all else as JSON
    quoted     BOOLEAN   NOT NULL, -- the value is a string
    micros     BIGINT              -- the value in millionths, NULL when it is no number
);

-- Who was erased, and when. Rows that were received before, and come later, are
-- stored without the person.
CREATE TABLE erasures (
    project_id VARCHAR   NOT NULL,
    person     VARCHAR   NOT NULL, -- a hash of the profile or of one of its devices
    erased_at  TIMESTAMP NOT NULL,
    erased_by  VARCHAR   NOT NULL  -- who asked for it; '' on the rows of devices
);
