// A service's colour: by a hash of its name, the next free hue when that one is taken, and then kept.
export const HUES = 12;
/** The hues that are furthest apart come first; a small system never needs the others. */
const FIRST = 5;
const KEY = 'clew.services';

export function hash(text: string): number {
  // Any seed would do; with this one the services of the demo lie far apart.
  let h = 1848;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  // The low bits of FNV are weak for short names that differ in their last letter.
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}

export class ServiceHues {
  private readonly hues: Map<string, number>;
  constructor(
    known: [string, number][] = [],
    private readonly keep: (all: [string, number][]) => void = () => {},
  ) {
    this.hues = new Map(known);
  }

  /** 1 to HUES: the number of the token. */
  of(service: string): number {
    const known = this.hues.get(service);
    if (known) return known;
    const taken = new Set(this.hues.values());
    const wanted = hash(service) % FIRST;
    let hue = wanted + 1;
    for (let step = 0; step < HUES; step++) {
      const candidate = step < FIRST ? ((wanted + step) % FIRST) + 1 : step + 1;
      if (!taken.has(candidate)) {
        hue = candidate;
        break;
      }
    }
    this.hues.set(service, hue);
    if (this.hues.size <= 500) this.keep([...this.hues]);
    return hue;
  }
}

function restored(): [string, number][] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.filter((e): e is [string, number] => Array.isArray(e) && typeof e[0] === 'string' && e[1] >= 1 && e[1] <= HUES);
  } catch {
    return [];
  }
}

const hues = new ServiceHues(typeof localStorage === 'undefined' ? [] : restored(), (all) => {
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // kept for this page only
  }
});

export function hueOf(service: string): number {
  return hues.of(service);
}
