-- A search goes through the metering points of a party in their order, page by page, and finds what was passed on to it.
create index permissions_party_points on permissions.permissions (party_did, metering_point_id collate "C") where scope is not null;
create index delegations_delegatee on permissions.delegations (delegatee_did);
