import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const execute = promisify(execFile);

test("--version prints the version of the package", async () => {
  const text = await readFile(join(import.meta.dirname, "../../package.json"), "utf8");
  const { version }: { version: string } = JSON.parse(text);
  expect(await runPartyline({ args: ["--version"] })).toEqual({ out: `${version}\n`, err: "", code: 0 });
});

test("bash completes commands, the commands in them, and their options", async () => {
  const { out } = await runPartyline({ args: ["completion", "bash"] });
  const cases: [line: string, completed: string][] = [
    ["hi", "history"],
    ["pins ", "list add revoke import --help"],
    ["pins re", "revoke"],
    ["push rules.json --d", "--dry-run"],
    ["tenant put --tenant pins --y", "--yes"],
  ];
  for (const [line, completed] of cases) {
    const words = ["partyline", ...line.split(" ")];
    const script = `${out}\nCOMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")})\nCOMP_CWORD=${words.length - 1}\n_partyline\necho "\${COMPREPLY[*]}"`;
    const { stdout } = await execute("bash", ["-c", script]);
    expect([line, stdout.trim()]).toEqual([line, completed]);
  }
});

test("names of rooms and calls are completed as the API knows them, and run as no command", async () => {
  const at = { since: 1_790_000_000_000, since_iso: "2026-09-21T14:13:20.000Z" };
  const head = {
    conference_id: null,
    conferences: [],
    ...at,
    strangers: 0,
    moderator_present: false,
    locked: null,
    muted_all: null,
  };
  const counts = { waiting: 0, confirmed: 1, expected: 0, presumed_gone: 0, doubted: 0 };
  const named = (name: string) => ({ ...head, ...counts, name: `acme:${name}`, plain_name: name });
  const waiting = [{ call_id: "w-1", from: "", role: "", for: "seat", ...at, position: 1 }];
  const rooms = { conferences: ["support", "sup $(id)", "sales"].map(named), next: null };
  await using server = await serveRoutes({
    "GET /api/tenants/acme/conferences?limit=200": { body: rooms },
    "GET /api/tenants/acme/conferences/support": {
      body: {
        ...head,
        name: "acme:support",
        plain_name: "support",
        recording: null,
        participants: [],
        waiting,
      },
    },
  });
  const env = { ADMIN_TOKEN: "test-admin-token", PARTYLINE_URL: server.origin };
  const names = async (...words: string[]) => {
    const { out, err, code } = await runPartyline({ args: ["names", "--", ...words], env });
    expect({ err, code }).toEqual({ err: "", code: 0 });
    return out.split("\n").slice(0, -1);
  };
  const ofAcme = ["--tenant", "acme"];
  expect(await names("mute", ...ofAcme, "sup")).toEqual(["support", "sup $(id)"]);
  expect(await names("admit", "support", ...ofAcme, "")).toEqual(["w-1"]);
  expect(await names("announce", "support", ...ofAcme, "--to", "")).toEqual(["w-1"]);
  expect(await names("calls", "--tenant=acme", "--room", "sa")).toEqual(["sales"]);
  // Options, what has no name, and what is not told.
  for (const words of [
    ["mute", ...ofAcme, "--"],
    ["record", "r-1", ...ofAcme, ""],
    ["why", ...ofAcme, ""],
  ])
    expect(await names(...words)).toEqual([]);
  const { out } = await runPartyline({ args: ["completion", "bash"] });
  const script = `${out}
partyline() { printf '%s\\n' 'sup $(id)'; }
COMP_WORDS=(partyline mute sup) COMP_CWORD=2
_partyline
echo "\${COMPREPLY[0]}"`;
  expect((await execute("bash", ["-c", script])).stdout).toBe("sup\\ \\$\\(id\\)\n");
});

test("zsh and fish get every command and option with what it is for", async () => {
  const zsh = await runPartyline({ args: ["completion", "zsh"] });
  expect(zsh.out).toMatch(/^#compdef partyline\n/);
  expect(zsh.out).toContain(
    `" pins") next=('list:list a tenant’s PINs by their ids, with room, role and note`,
  );
  const fish = await runPartyline({ args: ["completion", "fish"] });
  expect(fish.out.split("\n")).toContain(
    "complete -c partyline -n '__fish_seen_subcommand_from push' -l dry-run -d 'show what would change, and write nothing; needs no terminal'",
  );
  expect(fish.out.split("\n")).toContain(
    "complete -c partyline -n '__fish_seen_subcommand_from pins; and not __fish_seen_subcommand_from list add revoke import' -f -a revoke -d 'revoke a PIN; a caller who is in a room stays there'",
  );
});

test("another shell is an error that names those there are", async () => {
  expect(await runPartyline({ args: ["completion", "tcsh"] })).toEqual({
    out: "",
    err: "error: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish.\n",
    code: 2,
  });
});
