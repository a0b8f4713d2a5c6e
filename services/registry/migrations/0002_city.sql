-- Which keys this database belongs to: an opaque name that is kept with them. One row.
CREATE TABLE registry.city (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  id       text NOT NULL
);
