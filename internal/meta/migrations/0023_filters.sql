-- Whose events a project refuses: addresses and networks with commas between them, as
-- weir.AddressFilters has them. What is a bot there: weir.BotRules in JSON; empty if it has none.
ALTER TABLE projects ADD COLUMN address_filters TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN bot_rules TEXT NOT NULL DEFAULT '';
