import { toHex } from "../shared/encoding.ts";
import { MOST_BYTES } from "./recording-media.ts";
import { withTimeout } from "./timeout.ts";

/** Bytes of a part of an upload: each but the last must be as large as the others. */
const PART_BYTES = 8 * 2 ** 20;
/** A part that takes longer does not come. */
const PART_MS = 120_000;

/** What of a bucket copies are made with. */
export type CopyBucket = Pick<R2Bucket, "put" | "createMultipartUpload" | "delete">;

/** Where the copy of a recording is. */
export function copyKey(project_id: string, tenant: string, recording: string): string {
  return `recordings/${project_id}/${tenant}/${recording}`;
}

export interface Stored {
  /** Hex, of all bytes. */
  sha256: string;
  size_bytes: number;
}

/**
 * Streams a body into a bucket, in parts, so that little of it is in memory. Rejects if it breaks: then there is nothing in the bucket.
 * @param run how each request to the bucket is made.
 */
export async function storeCopy(
  bucket: CopyBucket,
  key: string,
  { body, type }: { body: ReadableStream<Uint8Array>; type: string },
  run: <T>(request: () => Promise<T>) => Promise<T>,
): Promise<Stored> {
  const options = { httpMetadata: { contentType: type } };
  const digest = new crypto.DigestStream("SHA-256");
  const hashing = digest.getWriter();
  const parts = partsOf(body, async (chunk) => await hashing.write(chunk));
  try {
    const first = await parts.next();
    const start = first.done ? new Uint8Array() : first.value;
    if (start.byteLength === PART_BYTES) {
      const upload = await run(() => bucket.createMultipartUpload(key, options));
      const size_bytes = await uploadParts(upload, start, parts, run);
      return { sha256: await hexOf(hashing, digest), size_bytes };
    }
    const sha256 = await hexOf(hashing, digest);
    // The bucket checks it.
    await run(() => bucket.put(key, start, { ...options, sha256 }));
    return { sha256, size_bytes: start.byteLength };
  } finally {
    await parts.return(undefined);
  }
}

/** All parts, and then the whole; returns how many bytes they are. */
async function uploadParts(
  upload: R2MultipartUpload,
  first: Uint8Array,
  others: AsyncIterable<Uint8Array>,
  run: <T>(request: () => Promise<T>) => Promise<T>,
): Promise<number> {
  try {
    const uploaded = [await run(() => upload.uploadPart(1, first))];
    let size_bytes = first.byteLength;
    for await (const part of others) {
      uploaded.push(await run(() => upload.uploadPart(uploaded.length + 1, part)));
      size_bytes += part.byteLength;
    }
    await run(() => upload.complete(uploaded));
    return size_bytes;
  } catch (error) {
    // One that stays is aborted by R2 after a week.
    await upload.abort().catch(() => {});
    throw error;
  }
}

/**
 * The body in parts of one size, the last one shorter; read by the runtime, so that few pieces come up here.
 * @param seen takes each part in order.
 */
async function* partsOf(
  body: ReadableStream<Uint8Array>,
  seen: (part: Uint8Array) => Promise<void>,
): AsyncGenerator<Uint8Array, undefined> {
  const reader = body.getReader({ mode: "byob" });
  try {
    for (let bytes = 0; ; ) {
      const reading = reader.readAtLeast(PART_BYTES, new Uint8Array(PART_BYTES));
      const { value: part, done } = await withTimeout(PART_MS, reading);
      bytes += part?.byteLength ?? 0;
      if (bytes > MOST_BYTES) throw new Error("it is larger than any recording");
      if (part && part.byteLength > 0) {
        await seen(part);
        yield part;
      }
      if (done || !part || part.byteLength < PART_BYTES) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function hexOf(hashing: WritableStreamDefaultWriter, digest: DigestStream): Promise<string> {
  await hashing.close();
  return toHex(new Uint8Array(await digest.digest));
}
