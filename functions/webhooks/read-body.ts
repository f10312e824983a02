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
