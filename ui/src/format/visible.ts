// Foreign text as it can be shown: what would turn its order, or what a terminal would obey, is seen instead of done.

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const HARMFUL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const ALL = new RegExp(HARMFUL, 'g');

function shown(c: string): string {
  const code = c.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
}

export function visible(text: string): string {
  return HARMFUL.test(text) ? text.replace(ALL, shown) : text;
}
