import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
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
