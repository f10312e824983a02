import { describe, expect, it } from "vitest";
import { pinId } from "../../shared/pin-id.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { type Reply, refused, serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const key = Buffer.alloc(32, 7).toString("base64");
const path = "/api/tenants/acme/pins/records";
const hmac = await answerHmac(key, "acme", "4711");
const id = await pinId(hmac);
const check = await answerHmac(key, "acme", "key check");

interface Given {
  input?: string;
  env?: Record<string, string>;
}

function pins(origin: string, args: string[], { input = "4711\n", env = {} }: Given = {}) {
  return runPartyline({
    args: ["pins", ...args, "--url", origin, "--tenant", "acme"],
    env: { ADMIN_TOKEN: "test-admin-token", CREDENTIALS_KEY: key, ...env },
    input,
  });
}

describe("partyline pins", { timeout: 20_000 }, () => {
  it("list prints the PINs of all pages by their ids, and no more than a text", async () => {
    const [one, two, three] = ["1", "2", "3"].map((digit) => digit.repeat(32));
    await using server = await serveRoutes({
      [`GET ${path}`]: {
        body: { pins: [{ id: one, room: "board", role: "chair", note: "Ada\u001b[2J" }], next: "more" },
      },
      [`GET ${path}?after=more`]: { body: { pins: [{ id: two }, { id: three, bad: true }], next: null } },
    });
    expect(await pins(server.origin, ["list"])).toEqual({
      out: [
        `${one}  room board, role chair, Ada [2J`,
        two,
        `${three}  its record is not as it should be: it is taken for no PIN`,
        "acme has 3 PINs in KV.",
        "",
      ].join("\n"),
      err: "",
      code: 0,
    });
    await using none = await serveRoutes({ [`GET ${path}`]: { body: { pins: [], next: null } } });
    expect((await pins(none.origin, ["list"])).out).toBe("acme has no PIN in KV.\n");
    const machines = await pins(none.origin, ["list", "--json"]);
    expect(JSON.parse(machines.out)).toEqual({ ok: true, tenant: "acme", pins: [] });
  });

  it("add sends the HMAC and never the digits, with room, role and note", async () => {
    await using server = await serveRoutes({ [`PUT ${path}`]: { body: { written: 1 } } });
    const args = ["add", "--room", "board", "--role", "chair", "--note", "Ada"];
    expect(await pins(server.origin, args)).toEqual({
      out: `Added: acme has PIN ${id}, everywhere within 90 s.\n`,
      err: "",
      code: 0,
    });
    const [{ body } = { body: "" }] = server.asked;
    expect(JSON.parse(body)).toEqual({ check, pins: [{ hmac, room: "board", role: "chair", note: "Ada" }] });
    expect(body.replaceAll(hmac, "").replaceAll(check, "")).not.toContain("4711");
  });

  it("revoke takes a PIN, or the id that list shows", async () => {
    await using server = await serveRoutes({ [`DELETE ${path}/${id}`]: { status: 204 } });
    const revoked = {
      out: `Revoked: acme has PIN ${id} no longer, everywhere within 90 s.\n`,
      err: "",
      code: 0,
    };
    expect(await pins(server.origin, ["revoke"])).toEqual(revoked);
    expect(await pins(server.origin, ["revoke", id], { env: { CREDENTIALS_KEY: "" } })).toEqual(revoked);
    await using none = await serveRoutes({
      [`DELETE ${path}/${id}`]: refused("unknown_pin", "None.", 404),
    });
    expect(await pins(none.origin, ["revoke"])).toEqual({
      out: "",
      err: "error: acme has no such PIN in KV.\n",
      code: 1,
    });
  });

  it("import writes a list a hundred at a time, and says how far it came where a part fails", async () => {
    const list = ["pin,room", ...Array.from({ length: 120 }, (_, index) => `${10_000 + index},board`)].join(
      "\n",
    );
    await using server = await serveRoutes({ [`PUT ${path}`]: { body: { written: 1 } } });
    expect(await pins(server.origin, ["import", "-"], { input: list })).toEqual({
      out: "Written: 120 PINs of acme, everywhere within 90 s.\n",
      err: "",
      code: 0,
    });
    expect(server.asked.map(({ body }) => JSON.parse(body).pins.length)).toEqual([100, 20]);
    const failing: Reply[] = [{ body: { written: 100 } }, refused("kv_failed", "KV failed.", 503)];
    await using broken = await serveRoutes({ [`PUT ${path}`]: failing });
    expect(await pins(broken.origin, ["import", "-"], { input: list })).toEqual({
      out: "",
      err: `error: ${broken.origin} answered 503: KV failed. The first 100 of the list were written; import it again.\n`,
      code: 2,
    });
  });

  it("says what is wrong, asks nothing of the Worker then, and shows no PIN", async () => {
    await using server = await serveRoutes({});
    const cases: [args: string[], given: Given, err: string, code: number][] = [
      [
        ["import", "-"],
        { input: "4711,board\n" },
        "error: the list is not right:\n  line 1: the header is missing: the first line must be pin,room,role (or with note as well)\n",
        1,
      ],
      [
        ["add"],
        { input: "47 11" },
        "error: a PIN is 1 to 32 of the digits, * and #, as the caller keys it without the terminator.\n",
        1,
      ],
      [
        ["add", "--room", "$" + "{room}"],
        {},
        "error: room: may not hold ${ or %{, which SignalWire would run as code\n",
        1,
      ],
      [
        ["add"],
        { env: { CREDENTIALS_KEY: "" } },
        "error: CREDENTIALS_KEY is not set: it must be 32 bytes in base64 (44 characters). Make one with: npx partyline seal --generate-key --project <id>\n",
        2,
      ],
      [
        ["revoke", "4711"],
        {},
        "error: write the 32 hex digits that list shows; leave them out to be asked for the PIN.\n",
        2,
      ],
    ];
    for (const [args, given, err, code] of cases)
      expect(await pins(server.origin, args, given)).toEqual({ out: "", err, code });
    expect(server.asked).toEqual([]);
  });

  it("says so where the Worker has another CREDENTIALS_KEY", async () => {
    const message = "The CREDENTIALS_KEY that these PINs were made with is not the Worker's.";
    await using server = await serveRoutes({ [`PUT ${path}`]: refused("other_key", message, 409) });
    expect(await pins(server.origin, ["add"])).toEqual({ out: "", err: `error: ${message}\n`, code: 2 });
  });
});
