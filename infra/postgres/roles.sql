-- Run once by an administrator when the user of DATABASE_URL may not create roles. Replace tillit_owner by that user, who
-- also needs CREATE on the database.
CREATE ROLE tillit_registry NOLOGIN;
CREATE ROLE tillit_credentials NOLOGIN;
CREATE ROLE tillit_authorization NOLOGIN;
CREATE ROLE tillit_permissions NOLOGIN;
CREATE ROLE tillit_metering NOLOGIN;
CREATE ROLE tillit_portal NOLOGIN;
CREATE ROLE tillit_verifier NOLOGIN;
GRANT tillit_registry, tillit_credentials, tillit_authorization, tillit_permissions, tillit_metering, tillit_portal, tillit_verifier TO tillit_owner;
