-- Which paths of a project are one page: weir.URLRules in JSON; empty if there are no rules.
ALTER TABLE projects ADD COLUMN url_rules TEXT NOT NULL DEFAULT '';
