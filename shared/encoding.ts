/** One of each: to make them costs the runtime far more than to use them. */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function toUtf8(text: string): Uint8Array<ArrayBuffer> {
  // It has a buffer of its own, as each that `encode` makes.
  return encoder.encode(text) as Uint8Array<ArrayBuffer>;
}

/** What is no UTF-8 reads as U+FFFD, and a byte order mark before it is left out. */
export function fromUtf8(bytes: ArrayBuffer | Uint8Array): string {
  return decoder.decode(bytes);
}

/** What workerd has of its own, and Node 24 has not. */
const native = Uint8Array.prototype as { toHex?: () => string; toBase64?: () => string }; // No type tells of them yet.

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  if (native.toHex) return native.toHex.call(bytes);
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes of hex in either case, or null where the text is not exactly `length` bytes of it. */
export function fromHex(text: string, length: number): Uint8Array<ArrayBuffer> | null {
  if (text.length !== length * 2 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  return Uint8Array.from({ length }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16));
}

/** Base64url without padding: letters, digits, `-` and `_` alone, so nothing in it is ever an expansion mark. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Standard base64, padded. */
export function toBase64(bytes: Uint8Array): string {
  if (native.toBase64) return native.toBase64.call(bytes);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The bytes of base64url without padding, or null where the text is anything else. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}

/** The bytes of standard base64, its padding optional, or null where the text is anything else. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
