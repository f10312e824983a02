/** Thrown where something is read that is larger than rules may read. */
export class TooLarge extends Error {}

export function readText(text: string | null | undefined): void {
  if (text !== null && text !== undefined && text.length > 4_096) throw new TooLarge();
}

/** Every value of a header. */
export function readHeader(values: readonly string[]): void {
  readText(values.join(""));
  if (values.length > 16) throw new TooLarge();
}

/** What an expression reads, whatever it is. */
export function readValue(value: unknown): void {
  const all = [...everything(value, 0)];
  const texts = all.filter((one) => typeof one === "string");
  texts.forEach(readText);
  if (all.length > 5_001 || texts.join("").length > 65_536) throw new TooLarge();
}

function* everything(value: unknown, depth: number): Generator<unknown> {
  yield value;
  if (typeof value !== "object" || value === null) return;
  const items = Array.isArray(value) ? value : Object.values(value);
  if (items.length > 1_000 || depth === 8) throw new TooLarge();
  for (const item of items) yield* everything(item, depth + 1);
}
