import { describe, expect, it } from "vitest";
import { readBody } from "../../../functions/webhooks/read-body.ts";

function post(body: BodyInit | null): Request {
  return new Request("https://example.com/", { method: "POST", body });
}

/** A body that comes in pieces of its own size, for as long as anyone reads. */
function endless(chunk: Uint8Array, onCancel: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(chunk),
    cancel: onCancel,
  });
}

describe("a webhook's body", () => {
  it("is read to the byte, up to the limit itself", async () => {
    const body = crypto.getRandomValues(new Uint8Array(1000));
    expect(await readBody(post(body), 1000)).toEqual(body);
  });

  it("is too large one byte over the limit", async () => {
    expect(await readBody(post(new Uint8Array(1001)), 1000)).toBe("too large");
  });

  it("that never ends is left at the limit", async () => {
    const cancelled = Promise.withResolvers<void>();
    const body = endless(new Uint8Array(300), cancelled.resolve);
    expect(await readBody(post(body), 1000)).toBe("too large");
    await cancelled.promise;
  });

  it("that comes in pieces is put together in order", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const reading = readBody(post(readable), 1000);
    for (const piece of ["one ", "two ", "three"]) await writer.write(new TextEncoder().encode(piece));
    await writer.close();
    const body = await reading;
    expect(body === "too large" ? body : new TextDecoder().decode(body)).toBe("one two three");
  });

  it("may be missing", async () => {
    expect(await readBody(post(null), 1000)).toEqual(new Uint8Array());
  });
});
