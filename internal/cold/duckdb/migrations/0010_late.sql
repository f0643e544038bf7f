-- What late events change about what is stored, see weir.EventRow and weir.VisitRow.
ALTER TABLE events ADD COLUMN replaces_ms DOUBLE;
ALTER TABLE events ADD COLUMN rest_ms DOUBLE;
ALTER TABLE visits ADD COLUMN formerly VARCHAR DEFAULT '';
