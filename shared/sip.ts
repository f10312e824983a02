export const NAME_ADDR = /^(?:"(?:[^"\\]|\\.)*"\s*|[^"<>]*)<([^<>]*)>(?:\s*;.*)?$/s;

/** Whether the address is a SIP URI. */
export function isSip(written: string): boolean {
  return /^sips?:/i.test(bare(written));
}

/** Without blanks around, a display name, and angle brackets. */
export function bare(written: string): string {
  const text = written.trim();
  return text.includes("<") ? (NAME_ADDR.exec(text)?.[1]?.trim() ?? text) : text;
}
