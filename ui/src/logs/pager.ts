// A long answer of which only the pages around the reader are kept. A page that was dropped keeps its cursor and is asked again when
// it comes back into sight, so that a million rows scroll in the memory of a few thousand.
interface Page<T> {
  /** What is asked to get it; undefined: the first. */
  cursor: string | undefined;
  rows: T[] | undefined;
  count: number;
}

export class Pager<T> {
  private pages: Page<T>[] = [];
  /** Where the rows go on behind the last known one; undefined: they end there. */
  next: string | undefined;

  constructor(
    readonly size: number,
    private readonly kept: number,
  ) {}

  begin(rows: T[], next: string | undefined): void {
    this.pages = [{ cursor: undefined, rows, count: rows.length }];
    this.next = next;
  }

  /** Rows known, whether they are kept or not. */
  get length(): number {
    const last = this.pages.at(-1);
    return last ? (this.pages.length - 1) * this.size + last.count : 0;
  }

  /** Rows in memory. */
  get held(): number {
    return this.pages.reduce((sum, page) => sum + (page.rows?.length ?? 0), 0);
  }

  at(index: number): T | undefined {
    return this.pages[Math.floor(index / this.size)]?.rows?.[index % this.size];
  }

  /** The page to ask next for rows [first, last) to be seen: one that was dropped, or the one behind the end. */
  wanted(first: number, last: number): { page: number; cursor: string | undefined } | undefined {
    const from = Math.max(0, Math.floor(first / this.size));
    const to = Math.floor(Math.max(first, last - 1) / this.size);
    for (let page = from; page <= Math.min(to, this.pages.length - 1); page++) {
      if (!this.pages[page]?.rows) return { page, cursor: this.pages[page]?.cursor };
    }
    if (last >= this.length && this.next) return { page: this.pages.length, cursor: this.next };
    return undefined;
  }

  /** A page has come. The ones furthest from it are dropped. */
  put(page: number, rows: T[], next: string | undefined): void {
    const known = this.pages[page];
    if (known) known.rows = rows;
    else if (page === this.pages.length) {
      this.pages.push({ cursor: this.next, rows, count: rows.length });
      this.next = rows.length === this.size ? next : undefined;
    } else return;
    const held = this.pages.map((entry, index) => ({ entry, index })).filter(({ entry }) => entry.rows);
    held.sort((a, b) => Math.abs(a.index - page) - Math.abs(b.index - page));
    for (const { entry } of held.slice(this.kept)) entry.rows = undefined;
  }
}
