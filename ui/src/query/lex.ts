// The query language cut into coloured pieces. It never fails: what is wrong is the server's to say, this only paints and completes.

export type TokenKind =
  | 'source'
  | 'pipe'
  | 'step'
  | 'keyword'
  | 'field'
  | 'op'
  | 'value'
  | 'number'
  | 'string'
  | 'text'
  | 'func'
  | 'punct'
  | 'comment';

export interface Token {
  kind: TokenKind;
  from: number;
  to: number;
  text: string;
}

export const SOURCES = ['spans', 'logs', 'metrics', 'events', 'checks', 'issues', 'snapshots', 'profiles', 'sessions'];

const SPACE = /\s+/y;
const FIELD = /(?:[\p{L}_][\p{L}\p{N}_\-/@$]*|`[^`]*`)(?:\.(?:[\p{L}\p{N}_\-/@$]+|`[^`]*`)|\[\d+\])*/uy;
const OPERATOR = /==|!=|<=|>=|=~|!~|=|<|>|:(?!\/\/)/y;
const STRING = /"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?/y;
const VALUE = /(?:\\.|[^\s|(){},"'\\])+/y;
const NUMBER = /^-?(?:0x[0-9a-f]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)(?:[a-zµ]+\d*)*$/i;
const STEP_WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const COMMENT = /# .*/y;
const FILTER_KEYWORDS = /^(?:and|or|not|in)$/i;
const STEP_KEYWORDS = /^(?:by|as|asc|desc|of|if|from|tz|and|or|not)$/i;

class Lexer {
  readonly tokens: Token[] = [];
  private at = 0;
  constructor(private readonly text: string) {}

  run(): Token[] {
    this.source();
    // After the source stands a filter; after each pipe a step, of which `where` and `differ` are filters too.
    let filter = true;
    while (this.at < this.text.length) {
      if (this.match(SPACE) || this.comment()) continue;
      const next = this.text.slice(this.at, this.at + 2);
      if (next[0] === '|' && next !== '||') {
        this.take('pipe', this.at + 1);
        filter = this.step();
      } else if (filter) this.filterPiece();
      else this.stepPiece();
    }
    return this.tokens;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found) this.at += found.length;
    return found;
  }

  private peek(pattern: RegExp, at = this.at): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.text)?.[0];
  }

  private take(kind: TokenKind, to: number): void {
    this.tokens.push({ kind, from: this.at, to, text: this.text.slice(this.at, to) });
    this.at = to;
  }

  private comment(): boolean {
    const found = this.peek(COMMENT);
    if (found && (this.at === 0 || /\s/.test(this.text[this.at - 1] ?? ''))) {
      this.take('comment', this.at + found.length);
      return true;
    }
    return false;
  }

  private source(): void {
    this.match(SPACE);
    for (;;) {
      const word = this.text[this.at] === '*' ? '*' : this.peek(STEP_WORD);
      if (!word) return;
      this.take('source', this.at + word.length);
      this.match(SPACE);
      if (this.text[this.at] !== ',') return;
      this.take('punct', this.at + 1);
      this.match(SPACE);
    }
  }

  private step(): boolean {
    this.match(SPACE);
    const word = this.peek(STEP_WORD);
    if (word) this.take('step', this.at + word.length);
    return word === 'where' || word === 'differ';
  }

  private filterPiece(): void {
    const char = this.text[this.at] ?? '';
    const pair = this.text.slice(this.at, this.at + 2);
    if (pair === '&&' || pair === '||') return this.take('keyword', this.at + 2);
    const string = this.peek(STRING);
    if (string) return this.take('string', this.at + string.length);
    if ('(){},'.includes(char)) return this.take('punct', this.at + 1);
    const field = this.peek(FIELD) ?? (char === '*' ? '*' : undefined);
    const after = field ? this.at + field.length + (this.peek(SPACE, this.at + field.length)?.length ?? 0) : 0;
    const operator = field ? this.peek(OPERATOR, after) : undefined;
    if (field && operator) return this.comparison(field, after, operator);
    if (char === '!') return this.take('keyword', this.at + 1);
    const word = this.peek(VALUE) ?? char;
    this.take(FILTER_KEYWORDS.test(word) ? 'keyword' : 'text', this.at + word.length);
  }

  private comparison(field: string, operatorAt: number, operator: string): void {
    this.take('field', this.at + field.length);
    this.at = operatorAt;
    this.take('op', this.at + operator.length);
    this.match(SPACE);
    if (this.text[this.at] === '(') {
      this.take('punct', this.at + 1);
      while (this.at < this.text.length) {
        if (this.match(SPACE)) continue;
        const char = this.text[this.at];
        if (char === '|') return;
        if (char === ',' || char === ')') this.take('punct', this.at + 1);
        else if (!this.value()) return;
        if (char === ')') return;
      }
      return;
    }
    this.value();
  }

  private value(): boolean {
    const string = this.peek(STRING);
    if (string) {
      this.take('string', this.at + string.length);
      return true;
    }
    const value = this.peek(VALUE);
    if (!value) return false;
    this.take(NUMBER.test(value) ? 'number' : 'value', this.at + value.length);
    return true;
  }

  private stepPiece(): void {
    const string = this.peek(STRING);
    if (string) return this.take('string', this.at + string.length);
    const field = this.peek(FIELD);
    if (field) {
      const call = this.text[this.at + field.length] === '(';
      const kind = STEP_KEYWORDS.test(field) ? 'keyword' : call ? 'func' : 'field';
      return this.take(kind, this.at + field.length);
    }
    const number = this.peek(VALUE);
    if (number && /^\d/.test(number)) return this.take('number', this.at + number.length);
    this.take(/[(){},]/.test(this.text[this.at] ?? '') ? 'punct' : 'op', this.at + 1);
  }
}

export function lex(text: string): Token[] {
  return new Lexer(text).run();
}

/** Index into UTF-16 of a column that the server counts in code points from 1. */
export function indexOfColumn(text: string, column: number): number {
  let index = 0;
  for (let n = 1; n < column && index < text.length; n++) index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return index;
}
