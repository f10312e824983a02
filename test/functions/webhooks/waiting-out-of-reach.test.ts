import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { cxmlHook } from "../../../functions/webhooks/cxml.ts";
import { swmlHook } from "../../../functions/webhooks/swml.ts";
import type { SwmlDocument } from "../../../shared/documents/swml.ts";
import { signJson } from "../../../shared/signature.ts";
import { openFixture } from "../fixture.ts";

const gone = () => {
  throw new Error("out of reach");
};

/** Asks a Worker whose bindings are as given. */
async function ask(request: Request, bindings: object): Promise<Response> {
  return await new Hono()
    .route("/hooks", swmlHook)
    .route("/hooks", cxmlHook)
    .request(
      request,
      {},
      { ...env, PUBLIC_URL: "https://partyline.test", ...bindings },
      { waitUntil: () => {}, passThroughOnException: () => {}, props: {} },
    );
}

test("KV unreadable, a poll is told to stay and hears music; any other webhook is left to the fallback URL", async () => {
  const url = "https://partyline.test/hooks/never-read-here/swml";
  const bindings = { DIRECTORY: { get: gone } };
  const poll = await ask(new Request(`${url}?poll=1`, { method: "POST", body: "{}" }), bindings);
  expect([poll.status, await poll.json()]).toEqual([
    200,
    { version: "1.0.0", sections: { main: [{ return: "stay" }] } },
  ]);
  for (const other of [url, `${url}?poll=10`, `${url}?poll=0`, `${url}?a=?poll=1`]) {
    expect((await ask(new Request(other, { method: "POST", body: "{}" }), bindings)).status).toBe(503);
  }
  const signed = await ask(
    new Request(`${url}?bodySHA256=0&poll=1`, { method: "POST", body: "{}" }),
    bindings,
  );
  expect(signed.status).toBe(200);
  // A pasted URL may say so of its own.
  const cxml = `${url.replace(/swml$/, "cxml")}?poll=1`;
  expect((await ask(new Request(cxml, { method: "POST" }), bindings)).status).toBe(503);
});

test("the session out of reach, a caller who may have to wait waits: no seat is given away uncounted, and no caller lost", async () => {
  await using home = await openFixture({
    rules: [
      {
        id: "desk",
        match: {},
        place: { room: "desk", wait: { for: "moderator", music: "https://example.com/music.mp3" } },
      },
    ],
  });
  const fetched = async (url: string, params: object): Promise<SwmlDocument> => {
    const call = { call_id: "c-1", node_id: "n-1", from: "+15550100001", to: "+15550100100" };
    const body = new TextEncoder().encode(JSON.stringify({ call, vars: {}, params }));
    const signature = await signJson("SHA-256", home.carrier.signing_key, url, body);
    const headers = { "x-signalwire-sha256-signature": signature };
    const request = new Request(url, { method: "POST", body, headers });
    const response = await ask(request, { RELAY_SESSION: { idFromName: gone } });
    expect(response.status).toBe(200);
    return await response.json();
  };
  const waiting = await fetched(home.webhook_url, {});
  const [, music, execute] = waiting.sections["main"] ?? [];
  expect(music).toEqual({ play: { url: "https://example.com/music.mp3" } });
  const poll = execute && "execute" in execute ? execute.execute : { dest: "", params: {} };
  expect((await fetched(poll.dest, poll.params ?? {})).sections.main).toEqual([{ return: "stay" }]);
  const last = waiting.sections.main.at(-1);
  const turn = last && "transfer" in last ? last.transfer : { dest: "", params: {} };
  expect((await fetched(turn.dest, turn.params ?? {})).sections["main"]?.[1]).toEqual(music);
});
