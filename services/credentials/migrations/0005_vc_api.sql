-- The names (URLs) by which issuers that use VC-API speak of what they issued, as digests: some say who the subject is.
create table credentials.vc_api_names (
  issuer_did    text not null,
  sha256        bytea not null check (length(sha256) = 32),
  credential_id text not null references credentials.issued_credentials,
  primary key (issuer_did, sha256)
);
