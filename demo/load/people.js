'use strict';
// Who comes: customers who come back, from some countries, with some browsers; and those who are no people.

const COUNTRIES = [['US', 30], ['GB', 14], ['DE', 14], ['FR', 8], ['NL', 6], ['ES', 5], ['IT', 5], ['GR', 4], ['CA', 7], ['JP', 4], ['AU', 3]];
const BROWSERS = [
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36', 34],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1', 26],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36', 20],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15', 12],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0', 8],
];
const BOTS = [
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 5],
  ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 3],
  ['curl/8.14.1', 1],
];
const CUSTOMERS = 400; // of them, a visit is a known one's in two cases of three
const RETURNS = 0.66;
let newest = 20_400;

const chance = (share) => Math.random() < share;
const one = (list) => list[Math.floor(Math.random() * list.length)];
function weighted(list) {
  let at = Math.random() * list.reduce((sum, [, weight]) => sum + weight, 0);
  return list.find(([, weight]) => (at -= weight) < 0)?.[0] ?? list[0][0];
}

const known = new Map(); // customer -> what stays the same about him
function person() {
  // A few of the known come often, most seldom.
  const number = known.size > 20 && chance(RETURNS) ? newest - Math.floor(Math.random() ** 2 * Math.min(known.size, CUSTOMERS)) : ++newest;
  const id = `u_${number}`;
  if (!known.has(id)) {
    known.set(id, {
      'x-customer': id, 'x-country': weighted(COUNTRIES), 'user-agent': weighted(BROWSERS),
      'x-forwarded-for': `203.0.113.${number % 254}`, // an address of the block that is kept for examples
    });
  }
  if (known.size > 2 * CUSTOMERS) known.delete(known.keys().next().value);
  return known.get(id);
}
const bot = () => ({ 'user-agent': weighted(BOTS), 'x-forwarded-for': `198.51.100.${1 + Math.floor(Math.random() * 30)}` });

module.exports = { bot, chance, one, person, weighted };
