-- Through whom a delegation came to its caller. A party that may not act now may not pass data on either, so the reader
-- needs to know everyone between the party and the caller. Every chain that a chain begins with is registered too.
create or replace view permissions.path_v1 as
  select p.id as permission_id, p.version, p.state, p.party_did, p.party_did as caller_did, p.metering_point_id,
         p.customer_id, p.scope, p.root_statement, jsonb_build_array(p.root_statement) as chain,
         encode(sha256(convert_to(p.root_statement, 'UTF8')), 'hex') as chain_digest,
         p.expires_at as chain_expires, false as delegation_revoked,
         '{}'::text[] as intermediary_dids
    from permissions.permissions p
   where p.scope is not null
  union all
  select p.id, p.version, p.state, p.party_did, d.delegatee_did, p.metering_point_id,
         p.customer_id, d.scope, p.root_statement, d.chain, d.chain_digest,
         least(d.expires_at, p.expires_at),
         exists (select from permissions.delegation_revocations r where r.hop_digest = any (d.hop_digests)),
         array(select e.delegatee_did from permissions.delegations e
                where e.permission_id = d.permission_id
                  and cardinality(e.hop_digests) < cardinality(d.hop_digests)
                  and e.hop_digests = d.hop_digests[1:cardinality(e.hop_digests)])
    from permissions.delegations d
    join permissions.permissions p on p.id = d.permission_id
   where p.scope is not null;
