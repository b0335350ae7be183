-- The shop's database. Created from nothing at every start, thrown away at the end.
create table products (
    sku text primary key, name text not null, price numeric(10,2) not null, featured boolean not null default false
);
create table reviews (
    id bigint generated always as identity primary key,
    sku text not null references products, stars int not null, body text not null
);
create index reviews_sku on reviews (sku);
create table carts (id uuid primary key, customer text not null, updated timestamptz not null default now());
create table cart_items (
    cart uuid not null references carts on delete cascade, sku text not null references products, quantity int not null,
    primary key (cart, sku)
);
-- A coupon takes off a share of the total: `rate` (0.10), or, in the newer kind, `rate_bp` in basis points (1500 = 15 %).
create table coupons (code text primary key, kind text not null, rate numeric(5,4), rate_bp int);
create table orders (
    id bigint generated always as identity (start with 8001) primary key,
    customer text not null, currency text not null, total numeric(10,2), coupon text, state text not null default 'open',
    placed timestamptz not null default now()
);
create table order_lines (
    order_id bigint not null references orders, sku text not null references products, quantity int not null, price numeric(10,2) not null
);

insert into products values
    ('AMPH-1', 'Transport amphora, 26 l', 184.00, true),   ('AMPH-3', 'Painted amphora, small', 92.50, true),
    ('BALL-1', 'Ball of thread, undyed', 12.00, true),     ('BALL-2', 'Ball of thread, murex', 148.00, true),
    ('BOWL-4', 'Mixing bowl', 61.00, false),               ('CLIP-1', 'Cloak clip, bronze', 23.40, false),
    ('COMB-2', 'Wool comb', 17.80, false),                 ('CORD-8', 'Cord, 80 ells', 9.90, false),
    ('DISC-1', 'Clay disc, stamped', 39.00, false),        ('HORN-1', 'Drinking horn', 45.20, false),
    ('JUG-2',  'Beak-spouted jug', 54.00, true),           ('LAMP-1', 'Oil lamp', 14.60, true),
    ('LAMP-6', 'Oil lamp, six wicks', 72.00, false),       ('LOOM-1', 'Loom weights, set of 12', 31.00, false),
    ('MAP-1',  'Map of a house, unfinished', 66.60, true), ('MASK-1', 'Bull mask', 210.00, false),
    ('OIL-2',  'Olive oil, 2 l', 27.50, false),            ('RHYT-1', 'Bull''s head rhyton', 495.00, false),
    ('SAIL-B', 'Sail, black', 320.00, false),              ('SAIL-W', 'Sail, white', 320.00, false),
    ('SEAL-3', 'Seal stone', 88.00, false),                ('SPIN-1', 'Spindle', 8.40, true),
    ('TABL-5', 'Clay tablet, blank', 3.20, false),         ('WAX-1',  'Beeswax, one block', 6.75, false);

insert into coupons values
    ('WELCOME', 'percent', 0.1000, null), ('THREAD-5', 'percent', 0.0500, null), ('SHIP-FREE', 'shipping', 0, null),
    ('AUTUMN-15', 'percent_bp', null, 1500), ('CREW-12', 'percent_bp', null, 1250);

-- Enough of them, and no index on the words, that a search is felt.
insert into reviews (sku, stars, body)
select p.sku, 1 + (n * 7 + length(p.sku)) % 5,
       (array['Arrived whole', 'Heavier than it looks', 'Bought a second one', 'The handle came off', 'My mother wanted it', 'Leaks a little',
              'Exactly as painted', 'Smaller than I thought'])[1 + n % 8]
       || ', ' || (array['kept oil in it all winter', 'the colour holds', 'the thread never knots', 'good clay, fired hot', 'would not lend it out',
              'burns for six hours', 'held on the crossing', 'the neighbours asked'])[1 + (n / 8) % 8] || '. Order ' || n
from products p, generate_series(1, 2000) n;
analyze;
