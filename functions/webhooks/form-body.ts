import { formLimit } from "./read-body.ts";

/** The body's media type in small letters, without parameters; "" where none is told. */
export function mediaType(request: Request): string {
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";", 1);
  return type.trim().toLowerCase();
}

/**
 * A form's fields as the urlencoded text that signatures are computed from, whatever it came as: one that came in parts is taken apart
 * here alone, so that the fields that are verified are the ones that are used. Null where it can't be, holds a file,
 * or is over {@link formLimit} in parts.
 *
 * @param raw The body's bytes as received.
 */
export async function unpackForm(raw: Uint8Array, request: Request): Promise<Uint8Array | null> {
  const type = mediaType(request);
  if (!type.startsWith("multipart/")) return raw;
  // Taken apart before anybody has proved who sends it: no more than a form may hold.
  if (type !== "multipart/form-data" || raw.length > formLimit) return null;
  const fields = new URLSearchParams();
  try {
    const headers = { "content-type": request.headers.get("content-type") ?? "" };
    // A copy, for its buffer may be shared as far as its type says.
    for (const [name, value] of await new Response(new Uint8Array(raw), { headers }).formData()) {
      if (typeof value !== "string") return null;
      fields.append(name, value);
    }
  } catch {
    return null;
  }
  return new TextEncoder().encode(fields.toString());
}
