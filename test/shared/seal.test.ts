import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ivBytes } from "../../shared/credentials.ts";
import { openState, type PlacedState, sealedLimit, sealState } from "../../shared/seal.ts";
import { deriveKeys } from "../../shared/seal-keys.ts";

const credentials_key = btoa("k".repeat(32));
const iv = new Uint8Array(ivBytes).fill(9);
const whose = { tenant: "acme", call_id: "c-1" };

const state: PlacedState = {
  v: 1,
  purpose: "place",
  entry: "",
  step: 1,
  place_step: 1,
  placing: {
    action: "place",
    rule: "support",
    ruleset: "ab".repeat(32),
    decided_at: 1_700_000_000_000,
    rooms: ["support", "support-2"],
    strategy: "first",
    role: "participant",
    join: {
      beep: "onEnter",
      stream: { url: "wss://example.com/audio", authorization_bearer_token: "hush-hush" },
    },
  },
};

async function sealed(
  changes: Partial<PlacedState> = {},
  sources = { signing_keys: ["PSKone"] },
): Promise<string> {
  const sealing = await sealState(await deriveKeys(sources), whose, { ...state, ...changes }, iv);
  if (!sealing.ok) throw new Error(`too long: ${sealing.length}`);
  return sealing.sealed;
}

describe("a call's sealed state", () => {
  it("opens to the whole decision, for its own call and tenant", async () => {
    const keys = await deriveKeys({ signing_keys: ["PSKone"] });
    expect(await openState(keys, whose, await sealed())).toEqual({ ok: true, state });
  });

  it("opens for no other call and no other tenant", async () => {
    const keys = await deriveKeys({ signing_keys: ["PSKone"] });
    const text = await sealed();
    const closed = { ok: false, reason: "closed" };
    expect(await openState(keys, { tenant: "acme", call_id: "c-2" }, text)).toEqual(closed);
    expect(await openState(keys, { tenant: "evil", call_id: "c-1" }, text)).toEqual(closed);
  });

  it("hides the secrets in it, and holds no expansion mark", async () => {
    const text = await sealed();
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(text).not.toContain("hush");
    expect(text).not.toContain(btoa("hush-hush").replace(/=*$/, ""));
  });

  it("does not open when any one character of it was altered", async () => {
    const keys = await deriveKeys({ signing_keys: ["PSKone"] });
    const text = await sealed();
    const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 2), fc.constantFrom(...characters), async (at, character) => {
        fc.pre(text[at] !== character);
        const altered = text.slice(0, at) + character + text.slice(at + 1);
        return !(await openState(keys, whose, altered)).ok;
      }),
      { numRuns: 100 },
    );
  });

  it("outlives a rotated signing key while the old one is kept", async () => {
    const text = await sealed({}, { signing_keys: ["PSKold"] });
    const both = await deriveKeys({ signing_keys: ["PSKnew", "PSKold"] });
    expect((await openState(both, whose, text)).ok).toBe(true);
    const newOnly = await deriveKeys({ signing_keys: ["PSKnew"] });
    expect(await openState(newOnly, whose, text)).toEqual({ ok: false, reason: "closed" });
  });

  it("is sealed with the credentials key where there is one, and signing keys still open what they sealed", async () => {
    const keys = await deriveKeys({ credentials_key, signing_keys: ["PSKone"] });
    expect((await openState(keys, whose, await sealed())).ok).toBe(true);
    const sealing = await sealState(keys, whose, state, iv);
    const text = sealing.ok ? sealing.sealed : "";
    const credentialsOnly = await deriveKeys({ credentials_key, signing_keys: [] });
    expect((await openState(credentialsOnly, whose, text)).ok).toBe(true);
    const signingOnly = await deriveKeys({ signing_keys: ["PSKone"] });
    expect(await openState(signingOnly, whose, text)).toEqual({ ok: false, reason: "closed" });
  });

  it("needs a key to begin with, and a credentials key of 32 bytes", async () => {
    await expect(deriveKeys({ signing_keys: [""] })).rejects.toThrow(
      "neither CREDENTIALS_KEY nor a signing key",
    );
    await expect(deriveKeys({ credentials_key: "short", signing_keys: ["PSKone"] })).rejects.toThrow(
      "32 bytes",
    );
  });

  it("is told from what is no seal at all", async () => {
    const keys = await deriveKeys({ signing_keys: ["PSKone"] });
    for (const other of [undefined, null, 7, {}, "", "AAAA", "not a seal!", "A".repeat(sealedLimit + 1)]) {
      expect(await openState(keys, whose, other)).toEqual({ ok: false, reason: "form" });
    }
  });

  it("of another version opens, and is refused for its shape", async () => {
    const keys = await deriveKeys({ signing_keys: ["PSKone"] });
    // A cast: no state of this version's type has another version in it.
    const text = await sealed({ v: 2 } as unknown as Partial<PlacedState>);
    expect(await openState(keys, whose, text)).toEqual({ ok: false, reason: "shape" });
  });

  it("that would be longer than 4096 characters is not made", async () => {
    const keys = await deriveKeys({ signing_keys: ["PSKone"] });
    const join = {
      wait_url: `https://example.com/${"a".repeat(2000)}`,
      status_callback: `https://example.com/${"b".repeat(2000)}`,
    };
    const sealing = await sealState(keys, whose, { ...state, placing: { ...state.placing, join } }, iv);
    expect(sealing).toMatchObject({ ok: false, reason: "too_long" });
  });

  it("fits with room to spare where a decision is of ordinary size", async () => {
    expect((await sealed()).length).toBeLessThan(sealedLimit / 4);
  });
});
