import { READ_CHARS, READ_DEPTH, READ_ITEMS, READ_TEXT, READ_VALUES } from "./limits.ts";

/** How large a value is, as far as it tells what working on it takes. */
export interface Size {
  /** Characters of a text; 0 for anything else. */
  chars: number;
  /** Items of a list, keys of an object; 0 for anything else. */
  items: number;
  /** Steps of one comparison with an equal value. */
  weight: number;
  /** Characters of all texts in it, keys and itself included. */
  inner: number;
}

/** To compare two lists or objects takes so many steps beside what is in them, and so many for each key. */
export const COLLECTION_STEPS = 10;
const KEY_STEPS = 2;
/** Characters that one step compares. */
export const CHARS_COMPARED = 128;

export const NOTHING: Size = { chars: 0, items: 0, weight: 1, inner: 0 };

/** The largest text that may be read. */
export const LARGEST_TEXT = textSize(READ_TEXT);

/** At least as large as any value that may be read. */
export const LARGEST_VALUE: Size = {
  chars: READ_TEXT,
  items: READ_ITEMS,
  weight: READ_VALUES * (COLLECTION_STEPS + KEY_STEPS) + READ_CHARS / CHARS_COMPARED,
  inner: READ_CHARS,
};

export function textSize(chars: number): Size {
  return { chars, items: 0, weight: 1 + chars / CHARS_COMPARED, inner: chars };
}

/** The size of what was read from JSON; null where it is larger than a rule may read. Never walks further than that. */
export function sizeOf(value: unknown): Size | null {
  if (typeof value === "string") return value.length > READ_TEXT ? null : textSize(value.length);
  if (typeof value !== "object" || value === null) return NOTHING;
  const walk = new Walk();
  if (!walk.take(value, 1)) return null;
  const items = Array.isArray(value) ? value.length : Object.keys(value).length;
  return { chars: 0, items, weight: walk.weight, inner: walk.inner };
}

class Walk {
  weight = 0;
  inner = 0;
  #values = 0;

  /** False where a bound is passed. */
  take(value: unknown, depth: number): boolean {
    this.#values += 1;
    if (this.#values > READ_VALUES + 1) return false;
    if (typeof value === "string") return this.#text(value);
    if (typeof value !== "object" || value === null) {
      this.weight += 1;
      return true;
    }
    if (depth > READ_DEPTH) return false;
    this.weight += COLLECTION_STEPS;
    if (Array.isArray(value))
      return value.length <= READ_ITEMS && value.every((item) => this.take(item, depth + 1));
    const entries = Object.entries(value);
    if (entries.length > READ_ITEMS) return false;
    this.weight += entries.length * KEY_STEPS;
    return entries.every(([key, item]) => this.#text(key) && this.take(item, depth + 1));
  }

  #text({ length }: string): boolean {
    this.weight += 1 + length / CHARS_COMPARED;
    this.inner += length;
    return length <= READ_TEXT && this.inner <= READ_CHARS;
  }
}
