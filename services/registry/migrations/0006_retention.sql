-- Notes are kept as long as something rests on them: an anchor, or being among the newest. The rest may go; the tree they
-- spoke of is in the tiles. What stays never changes, except that a new key of the log, or of a witness, signs it too.
CREATE FUNCTION registry.only_add_signatures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF starts_with(NEW.note, OLD.note) AND to_jsonb(NEW) - 'note' = to_jsonb(OLD) - 'note' THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'the log is append-only';
END $$;
CREATE FUNCTION registry.keep_newest() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE newest bigint;
BEGIN
  EXECUTE format('SELECT max(size) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO newest;
  IF OLD.size < newest THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'the log is append-only: its newest checkpoint stays';
END $$;

DROP TRIGGER checkpoints_append_only ON registry.checkpoints;
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OF size, root, signed_at OR TRUNCATE ON registry.checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER checkpoints_only_add_signatures BEFORE UPDATE ON registry.checkpoints
  FOR EACH ROW EXECUTE FUNCTION registry.only_add_signatures();
CREATE TRIGGER checkpoints_keep_newest BEFORE DELETE ON registry.checkpoints
  FOR EACH ROW EXECUTE FUNCTION registry.keep_newest();

DROP TRIGGER published_checkpoints_append_only ON registry.published_checkpoints;
CREATE TRIGGER published_checkpoints_append_only BEFORE UPDATE OF size, published_at OR TRUNCATE ON registry.published_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER published_checkpoints_only_add_signatures BEFORE UPDATE ON registry.published_checkpoints
  FOR EACH ROW EXECUTE FUNCTION registry.only_add_signatures();
CREATE TRIGGER published_checkpoints_keep_newest BEFORE DELETE ON registry.published_checkpoints
  FOR EACH ROW EXECUTE FUNCTION registry.keep_newest();

-- For the foreign key that keeps anchored ones, those whose anchor was lost too: the index there was leaves them out.
CREATE INDEX anchors_every_size ON registry.anchors (size);
