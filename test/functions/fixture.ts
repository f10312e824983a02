import { env, exports } from "cloudflare:workers";
import { inject } from "vitest";
import { sealSecret } from "../../shared/credentials.ts";
import { CarrierClient, type CarrierProject } from "../carrier/client.ts";

type ProjectSettings = NonNullable<Parameters<CarrierClient["createProject"]>[0]>;

/** A tenant set up as its owner would: a project at the carrier, its records in KV, and SignalWire's way to the Worker. */
export interface Fixture {
  tenant: string;
  carrier: CarrierProject;
  /** What is pasted at SignalWire. */
  webhook_url: string;
  /** Rewrites records, as `wrangler kv key put` would. This isolate may trust the old ones for 30 s. */
  putTenant(record: Record<string, unknown>): Promise<void>;
  putRuleset(ruleset: unknown): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface FixtureSettings {
  rules: unknown;
  carrier?: ProjectSettings;
  tenant?: Record<string, unknown>;
  project?: Record<string, unknown>;
  /** Sees every request of SignalWire's on its way to the Worker, and may answer in its place. */
  intercept?: (request: Request) => Promise<Response | null>;
}

let fixtures = 0;

/** No two houses share a tenant or a project, so tests do not meet. */
export async function openFixture(settings: FixtureSettings): Promise<Fixture> {
  fixtures += 1;
  const tenant = `t${fixtures}-${crypto.randomUUID().slice(0, 8)}`;
  const carrier = await new CarrierClient(inject("carrier")).createProject({
    ...settings.carrier,
    via_tunnel: true,
  });
  const origin = new URL(inject("carrier")).origin;
  const seal = (secret: string) =>
    sealSecret(
      env.CREDENTIALS_KEY ?? "",
      carrier.project_id,
      secret,
      crypto.getRandomValues(new Uint8Array(12)),
    );
  const project = {
    space: origin,
    credentials: await seal(carrier.token),
    signing_keys: [await seal(carrier.signing_key)],
    ...settings.project,
  };
  await env.DIRECTORY.put(`project/${carrier.project_id}`, JSON.stringify(project));
  const putTenant = (record: Record<string, unknown>) =>
    env.DIRECTORY.put(`tenant/${tenant}`, JSON.stringify({ project_id: carrier.project_id, ...record }));
  const putRuleset = (ruleset: unknown) =>
    env.DIRECTORY.put(`ruleset/${tenant}`, typeof ruleset === "string" ? ruleset : JSON.stringify(ruleset));
  await putTenant(settings.tenant ?? {});
  await putRuleset({ rules: settings.rules });
  const close = await carrier.openTunnel(
    async (request) => (await settings.intercept?.(request)) ?? (await exports.default.fetch(request)),
  );
  return {
    tenant,
    carrier,
    webhook_url: `https://partyline.test/hooks/${tenant}/swml`,
    putTenant,
    putRuleset,
    async [Symbol.asyncDispose]() {
      close();
      await carrier.remove();
    },
  };
}

/** How often RELAY was asked for something, by method: what went over the wire and not what we think. */
export async function sent(fixture: Fixture, method: string): Promise<Record<string, unknown>[]> {
  const frames = await fixture.carrier.journal({ kind: "frame_in" });
  return frames.flatMap((entry) => {
    const frame = entry["frame"] as { method?: string; params?: Record<string, unknown> } | undefined; // As the journal has it.
    return frame?.method === method ? [frame.params ?? {}] : [];
  });
}

/** The steps of the documents that a call ran, in order. */
export async function steps(fixture: Fixture, call_id: string): Promise<string[]> {
  const entries = await fixture.carrier.journal({ kind: "document" });
  return entries.flatMap((entry) =>
    entry["call_id"] === call_id && "step" in entry ? [String(entry["step"])] : [],
  );
}

/** A first call, so that the time which a fresh isolate takes to load our code is no test's deadline. */
export async function warmUp(): Promise<void> {
  await exports.default.fetch("https://partyline.test/hooks/nobody/swml", { method: "POST", body: "{}" });
  await using fixture = await openFixture({ rules: [{ id: "any", match: {}, place: { room: "any" } }] });
  const { call_id } = await fixture.carrier.placeCall({
    from: "+15550100001",
    to: "+15550100100",
    url: fixture.webhook_url,
  });
  await fixture.carrier.wait({
    call: { call_id, in_conference: `${fixture.tenant}:any` },
    timeout_ms: 20_000,
  });
}
