import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { CarrierProject } from "../carrier/client.ts";
import { startCarrierProcess } from "../demo/carrier-process.ts";
import { stageTenants, variablesOf } from "../demo/tenants.ts";
import { startWorker } from "../demo/worker.ts";
import { type Doc, root } from "./doc.ts";

/** The demo's simulator and Worker, with the tenants that the documents speak of; nothing has been called yet. */
export interface DocsEnvironment {
  carrier: CarrierProject;
  worker_url: string;
  /** What a reader's shell would have. */
  variables: Record<string, string>;
  credentials_key: string;
  stop(): Promise<void>;
}

export async function setUpEnvironment(): Promise<DocsEnvironment> {
  const credentials_key = randomBytes(32).toString("base64");
  const admin_token = randomBytes(16).toString("hex");
  const [carrier, worker] = await Promise.all([
    startCarrierProcess(),
    startWorker({ CREDENTIALS_KEY: credentials_key, ADMIN_TOKEN: admin_token }),
  ]);
  const staged = await stageTenants({
    carrier,
    worker,
    credentials_key,
    admin_token,
    voicemail_url: "https://voicemail.example.com",
  });
  const acme = staged.find(({ tenant }) => tenant === "acme");
  if (acme === undefined) throw new Error("the demo has no tenant acme");
  const { project_id } = acme.carrier;
  const dial = { allow: ["+1555*"], from: ["+15550100100"] };
  await worker.put("tenant/acme", JSON.stringify({ project_id, public_url: worker.url, dial }));
  await worker.put("tenant/default", JSON.stringify({ project_id, public_url: worker.url }));
  return {
    carrier: acme.carrier,
    worker_url: worker.url,
    variables: { ...variablesOf(acme, carrier.control, admin_token), PROJECT_ID: project_id },
    credentials_key,
    async stop() {
      await worker.stop();
      carrier.stop();
    },
  };
}

export interface Ran {
  out: string;
  err: string;
  code: number | null;
}

/** A folder as a reader has it who followed a page: the repository's examples, and the files that the page says to write. */
export class ReadersFolder {
  readonly #folder: string;
  readonly #environment: DocsEnvironment;

  private constructor(folder: string, environment: DocsEnvironment) {
    this.#folder = folder;
    this.#environment = environment;
  }

  /** @param rules for a page that shows none of its own. */
  static async of(environment: DocsEnvironment, page: Doc, rules: string): Promise<ReadersFolder> {
    const folder = await mkdtemp(join(tmpdir(), "partyline-docs-"));
    const first = (info: string) => page.blocks.find((block) => block.info === info)?.text;
    const files: Record<string, string | undefined> = {
      "rules.json": first("json ruleset") ?? rules,
      "dial.json": first("json dial"),
      "pins.csv": first("csv pins.csv"),
      "token.txt": "made-up-token",
      "signing-key.txt": "made-up-signing-key",
    };
    for (const [name, content] of Object.entries(files))
      if (content !== undefined) await writeFile(join(folder, name), content);
    for (const name of ["examples", "test"]) await symlink(join(root, name), join(folder, name));
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin/npx"), NPX);
    await chmod(join(folder, "bin/npx"), 0o755);
    return new ReadersFolder(folder, environment);
  }

  /** Runs a block as a shell would, the Worker being the stage's, and stops at the first command that fails. */
  async run(script: string, input = ""): Promise<Ran> {
    const { variables, worker_url, credentials_key } = this.#environment;
    const local = script
      .replace("export CREDENTIALS_KEY=…", `export CREDENTIALS_KEY=${credentials_key}`)
      .replace(/^export [A-Z_]+=…$/gm, "")
      // There is no terminal to ask at.
      .replace(/npx partyline (push|rollback|(tenant|project) put)/g, "$& --yes")
      .replaceAll(/https:\/\/partyline\.(?:example\.com|<your-subdomain>\.workers\.dev)/g, worker_url);
    const { PATH = "" } = process.env;
    const shell = spawn("bash", ["-euo", "pipefail", "-c", local], {
      cwd: this.#folder,
      env: {
        ...variables,
        PATH: `${join(this.#folder, "bin")}:${PATH}`,
        HOME: this.#folder,
        NODE: process.execPath,
        ROOT: root,
        NODE_COMPILE_CACHE: join(tmpdir(), "partyline-compiled"),
      },
    });
    shell.stdin.on("error", () => {});
    shell.stdin.end(input);
    const exited = new Promise<number | null>((done) => shell.once("exit", done));
    const [out, err, code] = await Promise.all([text(shell.stdout), text(shell.stderr), exited]);
    return { out, err, code };
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What of `npx` the documents use here. */
const NPX = `#!/bin/sh
what=$1
shift
case $what in
  partyline) exec "$NODE" "$ROOT/cli/partyline.ts" "$@" ;;
  node) exec "$NODE" "$@" ;;
  *) echo "npx $what is not to be run here" >&2; exit 9 ;;
esac
`;
