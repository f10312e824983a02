import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { askApi } from "./ask-worker.ts";
import { show, when } from "./columns.ts";
import { fail } from "./fail.ts";
import { listed } from "./listed.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { plain } from "./plain.ts";
import { withProgress } from "./progress.ts";
import type { Target } from "./ruleset-api.ts";
import { type Told, told } from "./told.ts";
import { wholeNumber } from "./worker-options.ts";

const HOW = { answer_ms: 30_000 };
/** A try takes 15 s at most, and may wait for others. */
const RESENT_MS = 20_000;
const ASK_MS = 500;
const EXITS = "0 it was done, 1 the Worker refused it, 2 the Worker could not be asked.";
const RESEND_EXITS = `0 the server took it, 1 the Worker refused it, or the server took it at no try, 2 the Worker could not be asked,
3 it is sent and was not taken yet: deliveries tells.`;

type Webhook = Told<"listWebhooks">["webhooks"][number];
type Delivery = Told<"listDeliveries">["deliveries"][number];

/** `partyline webhook`: the servers to which a tenant's events are sent. */
export function webhookCommand(): Command {
  return new Command("webhook")
    .description(
      "list, add and remove the servers to which a tenant's events are sent, and see what came of them",
    )
    .addCommand(listCommand())
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(rotateCommand())
    .addCommand(deliveriesCommand())
    .addCommand(resendCommand());
}

function listCommand(): Command {
  return ofTenant(new Command("list"), "whose webhooks", EXITS)
    .description("list a tenant's webhooks")
    .action(async (options: TenantOptions) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant } };
      const answer = told(target, await askApi(target, "listWebhooks", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const { webhooks } = answer.data;
      if (options.json) for (const webhook of webhooks) console.log(JSON.stringify(webhook));
      else if (webhooks.length === 0) console.log(`${target.tenant} has no webhook.`);
      else show([["webhook", "url", "types", "state", "dropped"], ...webhooks.map(rowOf)]);
    });
}

function addCommand(): Command {
  return ofTenant(new Command("add"), "whose events", EXITS)
    .description("have a tenant's events sent to a server; the secret is shown this once")
    .argument("<https_url>", "the server's URL, https with a public host")
    .option(
      "--types <types>",
      "the only events that it gets, by commas: participant.joined,room.ended",
      listed,
    )
    .action(async (url: string, options: TenantOptions & { types?: string[] }) => {
      const target = targetOf(options);
      const { types } = options;
      // The Worker says which types there are.
      const body = JSON.stringify({ url, ...(types === undefined ? {} : { types }) });
      const request = { params: { tenant: target.tenant }, body };
      const answer = told(target, await askApi(target, "createWebhook", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      showSecret(answer.data, options.json);
    });
}

function removeCommand(): Command {
  return ofTenant(new Command("remove"), "whose webhook", EXITS)
    .description("send nothing more there, and forget what waits for it")
    .argument("<webhook_id>", "which, as list shows it")
    .action(async (id: string, options: TenantOptions) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant, id } };
      const answer = told(target, await askApi(target, "deleteWebhook", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      console.log(options.json ? JSON.stringify({ ok: true, id }) : plain(`Removed: ${id}.`));
    });
}

function rotateCommand(): Command {
  return ofTenant(new Command("rotate"), "whose webhook", EXITS)
    .description("make a new secret, which is shown this once; the one before signs beside it for a day")
    .argument("<webhook_id>", "which, as list shows it")
    .action(async (id: string, options: TenantOptions) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant, id } };
      const answer = told(target, await askApi(target, "rotateWebhookSecret", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      showSecret(answer.data, options.json);
    });
}

function deliveriesCommand(): Command {
  return ofTenant(new Command("deliveries"), "whose webhook", EXITS)
    .description("list what came of each event that was sent there, newest first")
    .argument("<webhook_id>", "which, as list shows it")
    .option("--limit <number>", "how many, 1 to 200 (50)", wholeNumber)
    .action(async (id: string, options: TenantOptions & { limit?: number }) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant, id }, query: { limit: options.limit } };
      const answer = told(target, await askApi(target, "listDeliveries", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const { deliveries } = answer.data;
      if (options.json) for (const delivery of deliveries) console.log(JSON.stringify(delivery));
      else if (deliveries.length === 0) console.log("Nothing was sent there.");
      else
        show([
          ["delivery", "event", "at", "state", "tries", "next", ""],
          ...deliveries.map((one) => [
            one.id,
            one.type,
            when(one.created_at_iso),
            one.state,
            String(one.attempts),
            when(one.due_at_iso),
            one.reason,
          ]),
        ]);
    });
}

function resendCommand(): Command {
  return ofTenant(new Command("resend"), "whose webhook", RESEND_EXITS)
    .description("send an event there once more, and wait until the server has taken it")
    .argument("<webhook_id>", "which, as list shows it")
    .argument("<delivery_id>", "which of its deliveries, as deliveries shows it")
    .action(async (id: string, delivery: string, options: TenantOptions) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant, id, delivery } };
      const answer = told(target, await askApi(target, "resendDelivery", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const settled = await withProgress("Waiting for the server", untilTried(target, id, answer.data));
      process.exitCode = { delivered: 0, failed: 1, pending: 3 }[settled.state];
      const { type, state, attempts, reason } = settled;
      const why = reason === "" ? "" : `, ${reason}`;
      console.log(
        options.json ? JSON.stringify(settled) : plain(`${type}: ${state}${why} (tries: ${attempts})`),
      );
    });
}

/** The delivery as it is once the server has taken it, or was tried and did not. */
async function untilTried(target: Target, id: string, sent: Delivery): Promise<Delivery> {
  const until = Date.now() + RESENT_MS;
  let delivery = sent;
  while (delivery.state === "pending" && delivery.attempts === 0 && Date.now() < until) {
    await sleep(ASK_MS);
    const query = { after: delivery.seq + 1, limit: 1 };
    const request = { params: { tenant: target.tenant, id }, query };
    const page = told(target, await askApi(target, "listDeliveries", request, HOW));
    const [found] = "exit_code" in page ? [] : page.data.deliveries;
    if (found?.id === sent.id) delivery = found;
  }
  return delivery;
}

/** The secret alone on standard output, for whatever keeps it. */
function showSecret(webhook: Webhook & { secret: string }, json: true | undefined): void {
  if (json) console.log(JSON.stringify(webhook));
  else {
    console.log(plain(webhook.secret));
    console.error(plain(`The secret of webhook ${webhook.id} is shown this once: keep it now.`));
  }
}

function rowOf({ id, url, types, state, dropped }: Webhook): string[] {
  return [id, url, types === null ? "all" : types.join(","), state, String(dropped)];
}
