import { Command } from "commander";
import { askApi } from "./ask-worker.ts";
import { show, when } from "./columns.ts";
import { fail } from "./fail.ts";
import { listed } from "./listed.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { plain } from "./plain.ts";
import { type Told, told } from "./told.ts";

const HOW = { answer_ms: 30_000 };
const EXITS = "0 it was done, 1 the Worker refused it, 2 the Worker could not be asked.";

interface CreateOptions extends TenantOptions {
  scopes: string[];
  rooms?: string[];
  maskNumbers?: true;
  expires?: string;
}

type Token = Told<"listTokens">["tokens"][number];

/** `partyline token`: who may use the API for a tenant. */
export function tokenCommand(): Command {
  return new Command("token")
    .description("list, create and revoke the tokens with which people and programs use the API for a tenant")
    .addCommand(listCommand())
    .addCommand(createCommand())
    .addCommand(revokeCommand());
}

function listCommand(): Command {
  return ofTenant(new Command("list"), "whose tokens", EXITS)
    .description("list a tenant's tokens; their secrets are kept nowhere")
    .action(async (options: TenantOptions) => {
      const target = targetOf(options);
      const answer = told(
        target,
        await askApi(target, "listTokens", { params: { tenant: target.tenant } }, HOW),
      );
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const { tokens } = answer.data;
      if (options.json) for (const token of tokens) console.log(JSON.stringify(token));
      else if (tokens.length === 0) console.log(`${target.tenant} has no token.`);
      else show([["token", "name", "scopes", "rooms", "made by", "until"], ...tokens.map(rowOf)]);
    });
}

function createCommand(): Command {
  return ofTenant(new Command("create"), "whose token", EXITS)
    .description("make a token; its secret is shown this once")
    .argument("<name>", "what the audit calls its holder")
    .requiredOption("--scopes <scopes>", "what it may do, by commas: rooms:read,rooms:control", listed)
    .option("--rooms <patterns>", "the only rooms that it sees, by commas; * is any text", listed)
    .option("--mask-numbers", "show it only the last two digits of numbers")
    .option("--expires <time>", "until when it is good: 2036-01-01T00:00:00Z; without it for good")
    .action(async (name: string, options: CreateOptions) => {
      const target = targetOf(options);
      const { scopes, rooms, maskNumbers, expires } = options;
      // The Worker says which scopes there are.
      const body = JSON.stringify({
        name,
        scopes,
        ...(rooms === undefined ? {} : { rooms }),
        ...(maskNumbers ? { mask_numbers: true } : {}),
        ...(expires === undefined ? {} : { expires_at: expires }),
      });
      const request = { params: { tenant: target.tenant }, body };
      const answer = told(target, await askApi(target, "createToken", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const { token, id } = answer.data;
      if (options.json) return console.log(JSON.stringify(answer.data));
      console.log(plain(token));
      console.error(plain(`Token ${id} is made. Its secret is shown this once: keep it now.`));
    });
}

function revokeCommand(): Command {
  return ofTenant(new Command("revoke"), "whose token", EXITS)
    .description("revoke a token, at once; what it opened is closed")
    .argument("<token_id>", "which, as list shows it")
    .action(async (id: string, options: TenantOptions) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant, id } };
      const answer = told(target, await askApi(target, "revokeToken", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      console.log(options.json ? JSON.stringify({ ok: true, id }) : plain(`Revoked: ${id}.`));
    });
}

function rowOf({ id, name, scopes, rooms, mask_numbers, created_by, expires_at_iso }: Token): string[] {
  const seen = rooms === null ? "all" : rooms.join(",");
  return [
    id,
    name,
    scopes.join(","),
    mask_numbers ? `${seen}, no numbers` : seen,
    created_by,
    expires_at_iso === null ? "for good" : when(expires_at_iso),
  ];
}
