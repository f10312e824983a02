import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { DoctorReply } from "../../shared/api/doctor.ts";
import { json, serve } from "./canned-server.ts";

const partyline = fileURLToPath(new URL("../../cli/partyline.ts", import.meta.url).href);
const token = "test-admin-token";

const healthy: DoctorReply = {
  ok: true,
  findings: [
    { check: "url", ok: true, message: "The pasted URL leads to the tenant's webhook." },
    { check: "tenant", ok: true, message: "acme is known." },
    { check: "project", ok: true, message: "Token and signing key open." },
    { check: "signature", ok: true, message: "Two signing keys.", fix: "Take the old one out." },
    { check: "ruleset", ok: true, message: "The ruleset is good: 3 rules." },
    { check: "relay", ok: true, message: "RELAY is up." },
    { check: "rest", ok: true, message: "REST takes the token." },
  ],
};

const ill: DoctorReply = {
  ok: false,
  findings: [
    { check: "url", ok: true, message: "The pasted URL leads to the tenant's webhook." },
    { check: "tenant", ok: false, message: "There is no tenant acme.", fix: "Put one." },
  ],
};

/** Runs the command in a process of its own, as a shell would. */
async function run(args: string[], env: Record<string, string> = { ADMIN_TOKEN: token }) {
  const { ADMIN_TOKEN: _, NO_COLOR: __, FORCE_COLOR: ___, ...rest } = process.env;
  const child = spawn(process.execPath, [partyline, "doctor", ...args], { env: { ...rest, ...env } });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { out, err, code };
}

describe("partyline doctor", { timeout: 20_000 }, () => {
  it("asks the Worker behind the URL, and prints a line for each thing that it found", async () => {
    await using server = await serve(json(healthy));
    const pasted = `${server.origin}/hooks/acme/swml?a=1#rt=8000`;
    const { out, err, code } = await run([pasted]);
    expect(server.asked).toEqual([
      {
        method: "POST",
        url: "/api/tenants/acme/doctor",
        authorization: `Bearer ${token}`,
        body: JSON.stringify({ url: pasted }),
      },
    ]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out.split("\n")).toEqual([
      "✓ url        The pasted URL leads to the tenant's webhook.",
      "✓ tenant     acme is known.",
      "✓ project    Token and signing key open.",
      "! signature  Two signing keys.",
      "             → Take the old one out.",
      "✓ ruleset    The ruleset is good: 3 rules.",
      "✓ relay      RELAY is up.",
      "✓ rest       REST takes the token.",
      "",
      "All is right.",
      "",
    ]);
  });

  it("ends with 1 where something is wrong, says what to do, and names what was not looked at", async () => {
    await using server = await serve(json(ill));
    const { out, code } = await run([`${server.origin}/hooks/acme/swml`]);
    expect(code).toBe(1);
    expect(out.split("\n")).toEqual([
      "✓ url        The pasted URL leads to the tenant's webhook.",
      "✗ tenant     There is no tenant acme.",
      "             → Put one.",
      "- not looked at: project, signature, ruleset, relay, rest. First fix what is wrong above.",
      "",
      "1 thing is wrong.",
      "",
    ]);
  });

  it("prints the Worker's answer for machines", async () => {
    await using server = await serve(json(ill));
    const { out, code } = await run(["--json", `${server.origin}/hooks/acme/swml`]);
    expect(JSON.parse(out)).toEqual(ill);
    expect(code).toBe(1);
  });

  it("colours where colours are shown, and not where NO_COLOR asks for none", async () => {
    await using server = await serve(json(healthy));
    const pasted = `${server.origin}/hooks/acme/swml`;
    const coloured = await run([pasted], { ADMIN_TOKEN: token, FORCE_COLOR: "1" });
    expect(coloured.out).toContain("\u001b[32m✓\u001b[39m url");
    const plain = await run([pasted], { ADMIN_TOKEN: token, NO_COLOR: "1" });
    expect(plain.out).not.toContain("\u001b");
  });

  it("lets nothing of an answer steer the terminal", async () => {
    const message = "all \u001b[2J\u009b1A\r\nright";
    await using server = await serve(json({ ok: true, findings: [{ check: "url", ok: true, message }] }));
    const { out } = await run([`${server.origin}/hooks/acme/swml`]);
    expect(out).toContain("✓ url        all  [2J 1A  right\n");
  });

  it("ends with 2 where it could not ask, and says why to people and to machines", async () => {
    await using server = await serve(
      json({ error: { code: "api_closed", message: "This Worker has no ADMIN_TOKEN." } }, 403),
    );
    const pasted = `${server.origin}/hooks/acme/swml`;
    expect(await run([pasted])).toEqual({
      out: "",
      err: "error: This Worker has no ADMIN_TOKEN.\n",
      code: 2,
    });
    const machines = await run(["--json", pasted]);
    expect(machines.code).toBe(2);
    expect(JSON.parse(machines.out)).toEqual({
      ok: false,
      error: { code: "api_closed", message: "This Worker has no ADMIN_TOKEN." },
    });
  });

  it("ends with 2 without a URL, or without ADMIN_TOKEN in the environment", async () => {
    const unset = await run(["https://example.com/hooks/acme/swml"], {});
    expect(unset).toMatchObject({ code: 2, err: expect.stringContaining("ADMIN_TOKEN is not set") });
    const bare = await run([]);
    expect(bare).toMatchObject({ code: 2, err: expect.stringContaining("missing required argument 'url'") });
  });
});
