// The text that a person sees when a probe is placed, as agents are told of it: by what stands in the line, not by its number alone.
// Browsers have a digest only on pages that came over TLS; this one is for lines.

const K = Uint32Array.from(primes(64), (p) => fraction(Math.cbrt(p)));
const START = Uint32Array.from(primes(8), (p) => fraction(Math.sqrt(p)));

function primes(n: number): number[] {
  const found: number[] = [];
  for (let i = 2; found.length < n; i++) if (found.every((p) => i % p !== 0)) found.push(i);
  return found;
}

function fraction(x: number): number {
  return ((x - Math.floor(x)) * 2 ** 32) >>> 0;
}

const turn = (x: number, n: number) => (x >>> n) | (x << (32 - n));

/** SHA-256 (FIPS 180-4) of the text's UTF-8, in hex. */
export function sha256(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer((((bytes.length + 8) >> 6) + 1) << 6));
  new Uint8Array(padded.buffer).set(bytes);
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(padded.byteLength - 8, Math.floor(bytes.length / 2 ** 29));
  padded.setUint32(padded.byteLength - 4, (bytes.length << 3) >>> 0);
  const hash = START.slice();
  const w = new Uint32Array(64);
  for (let at = 0; at < padded.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = padded.getUint32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const [x, y] = [w[i - 15] as number, w[i - 2] as number];
      const small = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
      const large = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16] as number) + small + (w[i - 7] as number) + large;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    for (const [i, x] of [a, b, c, d, e, f, g, h].entries()) hash[i] = (hash[i] as number) + x;
  }
  return [...hash].map((x) => x.toString(16).padStart(8, '0')).join('');
}

/** A line's, as agents compare it: blanks at its ends are none, and a run of them is one space. */
export function lineHash(line: string): string {
  return sha256(
    line
      .split(/[ \t\r\n\f]+/)
      .filter(Boolean)
      .join(' '),
  );
}

/** What an address says of a line that was seen elsewhere: enough to know it again. */
export const SEEN_LENGTH = 16;

export function seenOf(line: string | undefined): string | undefined {
  return line?.trim() ? lineHash(line).slice(0, SEEN_LENGTH) : undefined;
}

/** Where the line that was seen stands in this text: the nearest to where it stood. */
export function lineSeen(lines: readonly string[], seen: string, near: number): number | undefined {
  for (let away = 0; away < lines.length + near; away++)
    for (const at of away === 0 ? [near] : [near - away, near + away]) if (seenOf(lines[at - 1]) === seen) return at;
  return undefined;
}
