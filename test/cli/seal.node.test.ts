import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { openSecret } from "../../shared/credentials.ts";

const key = Buffer.alloc(32, 7).toString("base64");
const project = "11111111-2222-4333-8444-555555555555";
const command = `
  import { sealCommand } from ${JSON.stringify(new URL("../../cli/seal.ts", import.meta.url).href)};
  await sealCommand().parseAsync(process.argv);
`;

interface Run {
  args: string[];
  input?: string;
  credentials_key?: string;
}

/** Runs the command in a process of its own, as a shell would. */
async function run({ args, input = "", credentials_key }: Run) {
  const { CREDENTIALS_KEY: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", command, "--", "seal", ...args], {
    env: credentials_key === undefined ? env : { ...env, CREDENTIALS_KEY: credentials_key },
  });
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { out, err, code };
}

describe("partyline seal", () => {
  it("prints the sealed form alone, which opens for the project to the secret without its line's end", async () => {
    const { out, code } = await run({
      args: ["--project", project],
      input: "PTsecret\n",
      credentials_key: key,
    });
    expect(code).toBe(0);
    expect(out).toMatch(/^v1\.\S+\n$/);
    expect(await openSecret(key, project, out)).toBe("PTsecret");
  });

  it("seals the same secret differently each time", async () => {
    const one = await run({ args: ["--project", project], input: "PTsecret", credentials_key: key });
    const two = await run({ args: ["--project", project], input: "PTsecret", credentials_key: key });
    expect(one.out).not.toBe(two.out);
  });

  it("refuses a record with an unknown key, and takes one without the secrets that are to come", async () => {
    const folder = await mkdtemp(join(tmpdir(), "partyline-seal-"));
    const file = join(folder, "project.json");
    const args = ["--project", project, "--record", file];
    const sealed = { args, input: "PTsecret", credentials_key: key };
    await writeFile(file, '{ "space": "example", "contxts": { "main": "acme" } }');
    const wrong = await run(sealed);
    expect([wrong.code, wrong.out]).toEqual([1, ""]);
    expect(wrong.err).toMatch(
      /project\.json:1:23: error: contxts: unknown key; .*\n {4}did you mean "contexts"\?/,
    );
    await writeFile(file, '{ "space": "example", "contexts": { "main": "acme" } }');
    expect((await run(sealed)).out).toMatch(/^v1\.\S+\n$/);
    await rm(folder, { recursive: true });
    expect((await run(sealed)).code).toBe(2);
  });

  it("makes a key where it is asked to, prints it first and seals with it", async () => {
    const { out, err, code } = await run({
      args: ["--project", project, "--generate-key"],
      input: "PTsecret",
    });
    expect(code).toBe(0);
    const [, made = "", sealed = ""] = /^CREDENTIALS_KEY=(\S+)\n(v1\.\S+)\n$/.exec(out) ?? [];
    expect(await openSecret(made, project, sealed)).toBe("PTsecret");
    expect(err).toContain("wrangler secret put CREDENTIALS_KEY");
    expect(err).not.toContain(made);
  });

  it("does not make a new key over one that is set", async () => {
    const args = ["--project", project, "--generate-key"];
    const { out, err, code } = await run({ args, input: "PTsecret", credentials_key: key });
    expect({ out, code }).toEqual({ out: "", code: 2 });
    expect(err).toContain("CREDENTIALS_KEY is set already");
  });

  it("says what is wrong with the key, and shows neither key nor secret", async () => {
    const missing = await run({ args: ["--project", project], input: "PTsecret" });
    expect(missing).toMatchObject({
      out: "",
      code: 2,
      err: expect.stringContaining("CREDENTIALS_KEY is not set"),
    });
    const short = await run({ args: ["--project", project], input: "PTsecret", credentials_key: "c2hvcnQ=" });
    expect(short).toMatchObject({ out: "", code: 2, err: expect.stringContaining("not 32 bytes in base64") });
    expect(short.err).not.toContain("c2hvcnQ=");
    expect(short.err).not.toContain("PTsecret");
  });

  it("takes no project's id that SignalWire would not have given", async () => {
    for (const odd of [
      "p-1",
      project.slice(1),
      project.replace("2", "A"),
      "example.signalwire.com",
      "PT0123",
    ]) {
      const { out, err } = await run({ args: ["--project", odd], input: "PTsecret", credentials_key: key });
      expect({ out, err }).toEqual({
        out: "",
        err: `error: option '--project <id>' argument '${odd}' is invalid. A project's id is a UUID in small letters, as SignalWire's dashboard shows it: 11111111-2222-4333-8444-555555555555.\n`,
      });
    }
  });

  it("needs a secret and a project", async () => {
    const empty = await run({ args: ["--project", project], input: "\n", credentials_key: key });
    expect(empty).toMatchObject({ out: "", code: 1, err: expect.stringContaining("nothing to seal") });
    const nowhere = await run({ args: [], input: "PTsecret", credentials_key: key });
    expect(nowhere.code).toBe(1);
    expect(nowhere.err).toContain("--project <id>");
  });
});
