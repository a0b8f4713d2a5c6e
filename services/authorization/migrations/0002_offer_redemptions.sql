-- What became of the pre-authorized code of a credential offer (OpenID4VCI 1.0 section 4.1.1). A row without `redeemed_at` was
-- tried with wrong transaction codes only. Once the offer has expired the row says nothing any more, and is purged.
create table "authorization".offer_redemptions (
  offer_id       text primary key,
  wrong_tx_codes smallint not null check (wrong_tx_codes between 0 and 5),
  redeemed_at    timestamptz,
  expires_at     timestamptz not null
);

create index offer_redemptions_expires_at on "authorization".offer_redemptions (expires_at);
