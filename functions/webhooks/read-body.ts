import { toUtf8 } from "../../shared/encoding.ts";
/** Largest webhook body that is read, in bytes; more is answered with 413. */
export const bodyLimit = 262_144;

/** Largest form that is taken apart, in bytes: each of its fields costs far more than its bytes. */
export const formLimit = 65_536;

/**
 * The body's bytes as received, or that there are more than `limit`: reading stops there, whatever `Content-Length` says.
 *
 * @param limit Bytes.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array | "too large"> {
  if (request.body === null) return new Uint8Array();
  // A length that HTTP itself holds the sender to, and that is small: no need to count.
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced <= limit) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.length <= limit ? bytes : "too large";
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of request.body) {
    length += chunk.length;
    if (length > limit) return "too large";
    chunks.push(chunk);
  }
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

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
  return toUtf8(fields.toString());
}
