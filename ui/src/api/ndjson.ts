/** Gives whole lines out of text that arrives in pieces. */
export class LineSplitter {
  private rest = '';
  constructor(private readonly take: (line: string) => void) {}

  push(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (line) this.take(line);
  }

  end(): void {
    if (this.rest) this.take(this.rest);
    this.rest = '';
  }
}
